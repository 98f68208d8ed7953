// One process of a chat on Socket.IO, as its documentation has it with several: rooms, acknowledgements, the Redis adapter, WebSocket
// alone. node app.js PORT REDIS_PORT
import {createAdapter} from '@socket.io/redis-adapter';
import {createClient} from 'redis';
import {Server} from 'socket.io';

const [port, redisPort] = process.argv.slice(2).map(Number);
const publisher = createClient({socket: {host: '127.0.0.1', port: redisPort}});
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const io = new Server(port, {transports: ['websocket'], adapter: createAdapter(publisher, subscriber), serveClient: false});
io.on('connection', (socket) => {
  socket.on('enter', ({username, rid}, acknowledge) => {
    socket.data.user = username;
    socket.join(rid);
    socket.to(rid).emit('onAdd', {user: username, rid});
    acknowledge({code: 200});
  });
  socket.on('send', ({rid, content, target}, acknowledge) => {
    io.to(rid).emit('onChat', {msg: content, from: socket.data.user, target, rid});
    acknowledge({code: 200});
  });
  socket.on('disconnecting', () => {
    for (const rid of socket.rooms) socket.to(rid).emit('onLeave', {user: socket.data.user, rid});
  });
});
console.log('ready');

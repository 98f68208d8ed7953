// Programs that join a room through this gate, for people to copy. Each says Hello and prints what it hears.

// `page`: the URL of the chat page. Returns [{name, code}].
export function samplesFor(page) {
  const web = page.origin;
  const socket = web.replace(/^http/, 'ws');
  const secure = page.protocol === 'https:';
  const port = Number(page.port) || (secure ? 443 : 80);
  const scheme = page.protocol.replace(':', '');
  const samples = [
    {
      name: 'Hubbub\'s own library',
      code: `import {HubbubClient} from '${web}/hubbub-client.js';

const chat = new HubbubClient({gate: '${socket}'});
chat.on('message', ({from, text}) => console.log(from + ': ' + text));
await chat.connect('ann');
await chat.enter('lobby');
await chat.send('lobby', 'Hello');
`,
    },
    {
      name: 'Socket.IO, JavaScript',
      code: `import {io} from 'socket.io-client';

const gate = io('${web}');
gate.emit('queryEntry', {uid: 'ann'}, ({host, port}) => {
  gate.close();
  const chat = io('${scheme}://' + host + ':' + port, {auth: {username: 'ann', recover: true}});
  chat.on('onChat', ({from, msg}) => console.log(from + ': ' + msg));
  chat.on('connect', () => {
    if (chat.recovered) return;  // It is in the lobby, and gets what it has missed.
    chat.emit('enter', {rid: 'lobby'}, () => {
      chat.emit('send', {rid: 'lobby', content: 'Hello', target: '*'});
    });
  });
});
`,
    },
    {
      name: 'Socket.IO, Python',
      code: `import socketio

with socketio.SimpleClient() as gate:
    gate.connect('${web}')
    entry = gate.call('queryEntry', {'uid': 'ann'})
with socketio.SimpleClient() as chat:
    chat.connect(f"${scheme}://{entry['host']}:{entry['port']}")
    chat.call('enter', {'username': 'ann', 'rid': 'lobby'})
    chat.call('send', {'rid': 'lobby', 'content': 'Hello', 'target': '*'})
    event, body = chat.receive()
    print(body['from'] + ': ' + body['msg'])
`,
    },
  ];
  // Pomelo's client knows no TLS.
  if (!secure) {
    samples.push({
      name: 'Pomelo, JavaScript',
      code: `pomelo.init({host: '${page.hostname}', port: ${port}}, () => {
  pomelo.request('gate.gateHandler.queryEntry', {uid: 'ann'}, ({host, port}) => {
    pomelo.disconnect();
    pomelo.init({host, port}, () => {
      pomelo.on('onChat', ({from, msg}) => console.log(from + ': ' + msg));
      pomelo.request('connector.entryHandler.enter', {username: 'ann', rid: 'lobby'}, () => {
        pomelo.request('chat.chatHandler.send', {rid: 'lobby', content: 'Hello', target: '*'}, () => {});
      });
    });
  });
});
`,
    });
  }
  return samples;
}

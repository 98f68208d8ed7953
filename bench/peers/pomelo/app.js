// A chat on Pomelo with the routes of Hubbub's clients: one gate, connectors, chat servers. Written for the bench as Pomelo's
// documentation has it; the ports are in config/, which bench/systems.py writes.
'use strict';
const pomelo = require('pomelo');
const {ownerOf} = require('./app/util/owner');

const app = pomelo.createApp();
app.set('name', 'hubbub-bench-pomelo');

app.configure('production', 'gate', () => {
  app.set('connectorConfig', {connector: pomelo.connectors.hybridconnector, useProtobuf: true});
});

app.configure('production', 'connector', () => {
  app.set('connectorConfig', {connector: pomelo.connectors.hybridconnector, heartbeat: 3, useDict: true, useProtobuf: true});
});

app.configure('production', () => {
  // All that concerns a room is done by one chat server.
  app.route('chat', (session, message, context, done) => {
    const servers = context.getServersByType('chat');
    if (!servers || servers.length === 0) return done(new Error('there is no chat server'));
    done(null, ownerOf(session.get('rid'), servers).id);
  });
  app.filter(pomelo.timeout());
});

app.start();

process.on('uncaughtException', (error) => console.error('uncaught:', error.stack));

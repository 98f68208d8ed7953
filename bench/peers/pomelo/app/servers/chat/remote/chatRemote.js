// What connectors ask of chat servers: to put users into rooms and to take them out. A plain object, because Pomelo makes
// remote calls of enumerable methods alone.
'use strict';

const nameOf = (uid) => uid.split('*')[0];

module.exports = (app) => {
  const channels = app.get('channelService');
  return {
    add(uid, connector, room, done) {
      const channel = channels.getChannel(room, true);
      channel.pushMessage({route: 'onAdd', user: nameOf(uid)});
      channel.add(uid, connector);
      done(channel.getMembers().map(nameOf));
    },

    kick(uid, connector, room, done) {
      const channel = channels.getChannel(room, false);
      if (channel) {
        channel.leave(uid, connector);
        channel.pushMessage({route: 'onLeave', user: nameOf(uid)});
      }
      done();
    },
  };
};

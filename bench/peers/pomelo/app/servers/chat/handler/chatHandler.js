// Sends messages into rooms.
'use strict';

class ChatHandler {
  constructor(app) {
    this.channels = app.get('channelService');
  }

  send(message, session, next) {
    const room = session.get('rid');
    const channel = this.channels.getChannel(room, false);
    if (!channel) return next(null, {code: 500});
    const {target} = message;
    const push = {route: 'onChat', msg: message.content, from: session.uid.split('*')[0], target};
    if (target === '*') {
      channel.pushMessage(push);
    } else {
      const member = channel.getMember(`${target}*${room}`);
      if (!member) return next(null, {code: 500});
      this.channels.pushMessageByUids(push, [{uid: member.uid, sid: member.sid}]);
    }
    next(null, {});
  }
}

module.exports = (app) => new ChatHandler(app);

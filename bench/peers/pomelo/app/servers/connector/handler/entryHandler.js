// Lets clients into rooms.
'use strict';

class EntryHandler {
  constructor(app) {
    this.app = app;
  }

  enter(message, session, next) {
    const {app} = this;
    const {username, rid} = message;
    const uid = `${username}*${rid}`;
    if (app.get('sessionService').getByUid(uid)) return next(null, {code: 500, error: true});
    session.bind(uid);
    session.set('rid', rid);
    session.push('rid', (error) => {
      if (error) console.error('a session could not be saved:', error.stack);
    });
    session.on('closed', (closed) => {
      if (closed && closed.uid) app.rpc.chat.chatRemote.kick(closed, closed.uid, app.get('serverId'), rid, null);
    });
    app.rpc.chat.chatRemote.add(session, uid, app.get('serverId'), rid, (users) => next(null, {users}));
  }
}

module.exports = (app) => new EntryHandler(app);

// Tells clients their connector.
'use strict';
const {ownerOf} = require('../../../util/owner');

class GateHandler {
  constructor(app) {
    this.app = app;
  }

  queryEntry(message, session, next) {
    const connectors = this.app.getServersByType('connector');
    if (!message.uid || !connectors || connectors.length === 0) return next(null, {code: 500});
    const {host, clientPort} = ownerOf(message.uid, connectors);
    next(null, {code: 200, host, port: clientPort});
  }
}

module.exports = (app) => new GateHandler(app);

// Which of the servers a name belongs to: the same in every process.
'use strict';

exports.ownerOf = (name, servers) => {
  let hash = 2166136261;  // FNV-1a
  for (let i = 0; i < name.length; ++i) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  return servers[(hash >>> 0) % servers.length];
};

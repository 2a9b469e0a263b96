#!/usr/bin/env node
// Chooses the Node to run on. Plain CommonJS of the oldest kind: it must work, and speak, on any Node.
'use strict';
var path = require('node:path');
var fs = require('node:fs');

var LEAST = [22, 13];
var here = path.dirname(fs.realpathSync(__filename));
var main = path.join(here, '..', 'dist', 'toolgate.js');
// To an agent every end of a hook but this one is leave.
var fault = process.argv.includes('hook') ? 2 : 3;

function fail(message) {
  process.stderr.write('toolgate: ' + message + '\n');
  process.exit(fault);
}

function isNewEnough(version) {
  var parts = version.replace(/^v/, '').split('.').map(Number);
  return parts[0] > LEAST[0] || (parts[0] === LEAST[0] && parts[1] >= LEAST[1]);
}

if (!fs.existsSync(main)) fail('it is not built yet: run "npm run build" in ' + path.join(here, '..'));

if (isNewEnough(process.version)) {
  try {
    require(main);
  } catch (error) {
    fail(String((error && error.stack) || error));
  }
} else {
  // Only the Node beside our own real path: never one found from the working directory.
  var own = path.join(here, '..', 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!fs.existsSync(own))
    fail(
      'Node ' +
        LEAST.join('.') +
        ' or newer is needed, and this is ' +
        process.version +
        '; install one, or run "npm ci" in ' +
        path.join(here, '..'),
    );
  // The channel tells the child when we are gone, however we went.
  var child = require('node:child_process').spawn(own, [main].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  child.on('error', (error) => {
    fail('Node could not be started: ' + error.message);
  });
  child.on('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal);
    else process.exit(code === null ? fault : code);
  });
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
    process.on(signal, () => {
      child.kill(signal);
    });
  });
}

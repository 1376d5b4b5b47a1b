// The demo's table: dynalite, a DynamoDB in Node.js, with a switch. While the file CONTROL/paused exists, requests are
// taken and never answered, as in an outage of a network. (Nobody needs the right to stop this process.)
//
// node store.js HOST PORT TABLES CONTROL
'use strict'

const fs = require('fs')
const path = require('path')
const dynalite = require('dynalite')

const [host, port, tables, control] = process.argv.slice(2)
const switched = path.join(control, 'paused')

const server = dynalite({ path: tables })
const [answer] = server.listeners('request')
server.removeAllListeners('request')
server.on('request', (request, response) => {
  if (!fs.existsSync(switched)) answer(request, response)
})

server.listen(Number(port), host, () => console.log('The table is on http://%s:%s', host, port))

// What is under way gets a moment, then its connection is closed.
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), 500)
})

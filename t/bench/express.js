// An application with express-session and connect-dynamodb, for benchmarks: GET /page.html reads the session and
// answers with a page of 1 KB; with ?write it stores one. Its arguments: port, endpoint, file with the data of a session.
'use strict';

const fs = require('fs');
const express = require('express');
const session = require('express-session');
const {DynamoDBClient} = require('@aws-sdk/client-dynamodb');
const DynamoDBStore = require('connect-dynamodb')(session);

const [port, endpoint, file] = process.argv.slice(2);
const data = new URLSearchParams(fs.readFileSync(file, 'latin1').trim());
const page = 'x'.repeat(1024);
const client = new DynamoDBClient({
    endpoint, region: 'us-east-1', credentials: {accessKeyId: 'bench', secretAccessKey: 'bench-secret'},
});

const app = express();
app.disable('x-powered-by');
app.set('etag', false);
app.use(session({
    secret: 'bench', resave: false, saveUninitialized: false,
    // initialized: the table is there; nothing asks for its description.
    store: new DynamoDBStore({client, table: 'app_session', initialized: true}),
}));
app.get('/page.html', (request, response) => {
    if ('write' in request.query) {
        for (const [name, value] of data) request.session[name] = value;
        request.session.t = process.hrtime.bigint().toString();
    }
    if (request.session.user === 'alice') response.set('X-Seen', 'yes');
    response.type('html').send(page);
});
app.listen(Number(port), '127.0.0.1');

// The Terraform files given, as one JSON object by path. NODE_PATH says where hcl2-parser is.
const fs = require('fs');
const path = require('path');
const hcl = require('hcl2-parser');

const files = {};
for (const file of process.argv.slice(2)) {
    const [parsed, error] = hcl.parseToObject(fs.readFileSync(file, 'utf8'));
    if (error) {
        console.error(`${path.basename(file)}: is not HCL`);
        process.exit(1);
    }
    files[file] = parsed;
}
process.stdout.write(JSON.stringify(files));

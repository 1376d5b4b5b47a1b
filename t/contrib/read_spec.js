// CloudFormation's resource types given, as JSON: properties, attributes and nested types. NODE_PATH says where
// @aws-cdk/aws-service-spec is.
const {loadAwsServiceSpecSync} = require('@aws-cdk/aws-service-spec');

const db = loadAwsServiceSpecSync();
const types = {};
const resources = {};

function shape(type) {
    switch (type.type) {
    case 'ref': {
        const id = type.reference.$ref;
        if (!(id in types)) {
            types[id] = null;
            types[id] = properties(db.get('typeDefinition', id).properties);
        }
        return {ref: id};
    }
    case 'array': return {list: shape(type.element)};
    case 'map': return {map: shape(type.element)};
    case 'union': return {any: type.types.map(shape)};
    default: return type.type;
    }
}

function properties(all) {
    return Object.fromEntries(Object.entries(all).map(
        ([name, property]) => [name, {shape: shape(property.type), required: Boolean(property.required)}]));
}

for (const name of process.argv.slice(2)) {
    const [resource] = db.lookup('resource', 'cloudFormationType', 'equals', name);
    resources[name] = resource ? {properties: properties(resource.properties), attributes: Object.keys(resource.attributes)}
        : null;
}
process.stdout.write(JSON.stringify({types, resources}));

// Writes `web/api/types.d.ts` from the API's document: a type for each schema, and for each
// operation what it takes and gives.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../../..');
const file = join(root, 'web/api/types.d.ts');

const name = (ref) =>
  ref
    .split('/')
    .pop()
    .replace(/[^A-Za-z0-9_]/g, '_');
const key = (text) => (/^[A-Za-z_$][\w$]*$/.test(text) ? text : JSON.stringify(text));

function comment(text, indent) {
  if (!text) return '';
  const lines = text.replaceAll('*/', '*\\/').split('\n');
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

function type(schema, indent = '') {
  if (schema === undefined || schema === true) return 'unknown';
  if (schema.$ref) return name(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const several = schema.oneOf ?? schema.anyOf;
  if (several) return several.map((one) => type(one, indent)).join(' | ');
  if (schema.allOf) {
    const parts = schema.allOf.map((one) => type(one, indent));
    if (schema.properties) parts.push(object(schema, indent));
    return parts.map((part) => (part.includes(' | ') ? `(${part})` : part)).join(' & ');
  }
  const kinds = [schema.type ?? (schema.properties ? 'object' : undefined)].flat();
  return kinds.map((kind) => simple(kind, schema, indent)).join(' | ');
}

function simple(kind, schema, indent) {
  switch (kind) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `Array<${type(schema.items, indent)}>`;
    case 'object':
      return object(schema, indent);
    default:
      return 'unknown';
  }
}

function object(schema, indent) {
  const properties = Object.entries(schema.properties ?? {});
  const more = schema.additionalProperties;
  if (!properties.length) return `Record<string, ${more ? type(more, indent) : 'unknown'}>`;
  const required = new Set(schema.required ?? []);
  const inner = `${indent}  `;
  const lines = properties.map(
    ([field, of]) =>
      `${comment(of.description, inner)}${inner}${key(field)}${required.has(field) ? '' : '?'}: ${type(of, inner)}\n`,
  );
  return `{\n${lines.join('')}${indent}}`;
}

function operation(path, method, found) {
  const of = (place) => {
    const all = (found.parameters ?? []).filter((parameter) => parameter.in === place);
    if (!all.length) return '{}';
    const fields = all.map(
      (parameter) => `${key(parameter.name)}${parameter.required ? '' : '?'}: ${type(parameter.schema)}`,
    );
    return `{ ${fields.join('; ')} }`;
  };
  const content = (part) => Object.values(part?.content ?? {})[0]?.schema;
  const good = Object.entries(found.responses).filter(([status]) => status.startsWith('2'));
  const answers = good.map(([, answer]) => (answer.content ? type(content(answer), '    ') : 'undefined'));
  return [
    comment(found.summary, '  '),
    `  ${found.operationId}: {\n`,
    `    method: ${JSON.stringify(method.toUpperCase())}\n`,
    `    url: ${JSON.stringify(path)}\n`,
    `    path: ${of('path')}\n`,
    `    query: ${of('query')}\n`,
    `    body: ${found.requestBody ? type(content(found.requestBody), '    ') : 'undefined'}\n`,
    `    answer: ${[...new Set(answers)].join(' | ') || 'undefined'}\n`,
    '  }\n',
  ].join('');
}

/** The whole file's text. */
export function types(document) {
  const parts = ['// Written by web/test/types.js from openapi/openapi.json; `make fix` writes it again.\n'];
  for (const [schema, of] of Object.entries(document.components.schemas)) {
    parts.push(`\n${comment(of.description, '')}export type ${name(schema)} = ${type(of)}\n`);
  }
  parts.push(
    '\n/** Every operation: where it is, what it takes and what it gives. */\nexport interface Operations {\n',
  );
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, found] of Object.entries(item)) {
      if (found.operationId) parts.push(operation(path, method, found));
    }
  }
  parts.push('}\n');
  return parts.join('');
}

const document = JSON.parse(readFileSync(join(root, 'openapi/openapi.json'), 'utf8'));
const text = types(document);
let kept = '';
try {
  kept = readFileSync(file, 'utf8');
} catch {
  // It is written for the first time.
}
if (kept !== text) {
  if (!process.env.UPDATE) {
    console.error('web/api/types.d.ts is not current; `node web/test/types.js` with UPDATE=1 writes it');
    process.exit(1);
  }
  writeFileSync(file, text);
}

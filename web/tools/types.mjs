// Writes src/api/generated.ts: the schemas of schema/openapi.yaml as types.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import { parse } from 'yaml'

const here = dirname(fileURLToPath(import.meta.url))
const contract = join(here, '../../schema/openapi.yaml')
export const target = join(here, '../src/api/generated.ts')

/** The text that the generated file must have. */
export async function generated() {
  const document = parse(readFileSync(contract, 'utf8'))
  const schemas = { ...document, paths: {}, components: { schemas: document.components.schemas } }
  return `// Generated from schema/openapi.yaml by \`npm run types\`. Do not edit.\n${astToString(await openapiTS(schemas))}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await generated())

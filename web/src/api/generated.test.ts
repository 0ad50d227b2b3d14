import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { generated, target } from '../../tools/types.mjs'

it('the types are those of schema/openapi.yaml (npm run types writes them anew)', async () => {
  expect(readFileSync(target, 'utf8')).toBe(await generated())
})

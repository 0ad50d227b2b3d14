// @vitest-environment node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('the types are those of schema/openapi.yaml (npm run types writes them anew)', async () => {
  const { generated } = await import('../../tools/types.mjs')
  expect(readFileSync(fileURLToPath(new URL('./generated.ts', import.meta.url)), 'utf8')).toBe(await generated())
})

// Adds up what the browser must load before the first page shows (the entry, the home page and what both import) and fails
// when the compressed JavaScript is larger than the goal. Usage: node tools/size.mjs [limit in KB]
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const limitKb = Number(process.argv[2] ?? 180)
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
const first = new Set()
const visit = (key) => {
  if (first.has(key)) return
  first.add(key)
  for (const next of manifest[key].imports ?? []) visit(next)
}
visit(entry)
// The page that opens first is a lazy route of its own.
visit(Object.keys(manifest).find((key) => key.endsWith('/home-route.tsx')))

const rows = Object.keys(manifest)
  .filter((key) => manifest[key].file.endsWith('.js'))
  .map((key) => ({ file: manifest[key].file, bytes: size(manifest[key].file), first: first.has(key) }))
  .sort((a, b) => Number(b.first) - Number(a.first) || b.bytes - a.bytes)
for (const row of rows.filter((row) => row.first)) console.log(`${(row.bytes / 1024).toFixed(1).padStart(8)} KB  ${row.file}`)
const lazy = rows.filter((row) => !row.first)
const total = rows.filter((row) => row.first).reduce((sum, row) => sum + row.bytes, 0) / 1024
console.log(`first page: ${total.toFixed(1)} KB of JavaScript compressed (goal ${limitKb} KB); ${lazy.length} parts more when they are needed, ${Math.round(lazy.reduce((sum, row) => sum + row.bytes, 0) / 1024)} KB`)
if (total > limitKb) {
  console.error(`the first page is ${(total - limitKb).toFixed(1)} KB too large: load what it does not need lazily`)
  process.exit(1)
}

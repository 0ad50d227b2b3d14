// Puts a compressed copy beside every text file of the built portal; the server sends it to browsers that take gzip.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
for (const entry of readdirSync(dist, { withFileTypes: true, recursive: true })) {
  if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue
  const file = join(entry.parentPath ?? entry.path, entry.name)
  const text = readFileSync(file)
  if (text.length > 1024) writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }))
}

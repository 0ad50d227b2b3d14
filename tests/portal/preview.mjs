// The built portal with the mock scenario behind it, on a free port: `web/dist` must have been built.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const web = fileURLToPath(new URL('../../web/', import.meta.url))

const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  }).on('error', reject)
})

/** Answers the base address and a function that ends the server. */
export async function startPreview() {
  const port = await freePort()
  const server = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'preview', '--mode', 'mock', '--port', String(port), '--strictPort', '--host', '127.0.0.1'], { cwd: web, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    server.stdout.on('data', (data) => { if (String(data).includes(String(port))) resolve() })
    server.on('exit', (code) => reject(new Error(`vite preview ended with status ${code}: is web built? (npm --prefix web run build)`)))
  })
  server.removeAllListeners('exit')
  return { base: `http://127.0.0.1:${port}`, stop: () => server.kill() }
}

import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { mockApi } from './dev/mock-api'

const server = process.env.SLIPWAY_URL ?? 'http://127.0.0.1:8480'
// Everything that is the server's: its API, git, the sign-in link and the probes.
const serverPaths = '^/(signin|healthz|readyz|metrics|_apis|[^/]+/_apis|[^/]+/_git)(/|\\?|$)'
const junit = process.env.CI !== undefined || process.argv.includes('--junit')

export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === 'mock' ? [mockApi()] : [])],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    port: 5173,
    ...(mode === 'mock' ? {} : { proxy: { [serverPaths]: { target: server, changeOrigin: false } } }),
  },
  build: {
    target: 'es2022',
    sourcemap: false,
    reportCompressedSize: false,
    // Small files stay files: the server's content security policy allows no data: scripts.
    assetsInlineLimit: 0,
    manifest: true,
    rollupOptions: {
      output: {
        manualChunks: (id: string) =>
          /node_modules\/(react|react-dom|scheduler)\//.test(id) ? 'react' : undefined,
      },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    css: { modules: { classNameStrategy: 'non-scoped' } },
    testTimeout: 120000,
    reporters: junit ? ['default', ['junit', { outputFile: 'test-results/junit.xml' }]] : ['default'],
  },
}))

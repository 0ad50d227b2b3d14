// Starts Debian's Chromium for the portal's browser tests. playwright-core comes from web/node_modules.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../web/package.json', import.meta.url))

export const chromiumPath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** Answers a running browser; the caller closes it. Throws one clear sentence when the machine has none. */
export async function launch() {
  if (chromiumPath === undefined) throw new Error('no Chromium found: install the Debian package "chromium" or set CHROMIUM to its path')
  const { chromium } = require('playwright-core')
  return await chromium.launch({
    executablePath: chromiumPath, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars'],
  })
}

export const axeSource = () => require.resolve('axe-core/axe.min.js')

#!/usr/bin/env node
// Takes pictures of every page of the built portal, fed by the mock scenario, in many circumstances. They are for looking at.
// Usage: node tests/portal/screenshots.mjs [name part...]   (after `npm run build` in web; pictures go to tests/portal/out)
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launch } from './browser.mjs'
import { startPreview } from './preview.mjs'

const out = fileURLToPath(new URL('./out/', import.meta.url))
mkdirSync(out, { recursive: true })

const P = '/space-game'
const pages = {
  home: P, pipelines: `${P}/pipelines`, runs: `${P}/runs`, 'run-waiting': `${P}/runs/1871`, 'run-failed': `${P}/runs/1869`, 'run-running': `${P}/runs/1873`, 'run-queued': `${P}/runs/1874`,
  'run-tests': `${P}/runs/1869?tab=tests`, 'run-timeline': `${P}/runs/1869?tab=timeline`, 'run-changes': `${P}/runs/1871?tab=changes`, 'run-artifacts': `${P}/runs/1871?tab=artifacts`,
  'run-deployments': `${P}/runs/1871?tab=deployments`, 'run-yaml': `${P}/runs/1871?tab=yaml`, environments: `${P}/environments`, 'environments-cell': `${P}/environments?cell=1-2-20`,
  'environments-past': `${P}/environments?at=${new Date(Date.now() - 4 * 86400_000).toISOString()}`, environment: `${P}/environments/2`, approvals: `${P}/approvals`,
  'approvals-all': `${P}/approvals?show=all`, pools: `${P}/pools`, library: `${P}/library`,
  'library-group': `${P}/library?group=1`, 'library-connection': `${P}/library?connection=new`, 'library-file': `${P}/library?file=new`, tests: `${P}/tests`, 'tests-one': `${P}/tests?test=web.renders_top_ten_with_ties`, pipeline: `${P}/pipelines/1`, 'new-pipeline': `${P}/pipelines/new`, 'new-repository': `${P}/pipelines/new?repository=tools`,
  settings: `${P}/settings`, 'settings-people': `${P}/settings?tab=people`, 'settings-images': `${P}/settings?tab=images`, 'settings-retention': `${P}/settings?tab=retention`, 'settings-about': `${P}/settings?tab=about`, queue: `${P}/pipelines?run=1`, notfound: `${P}/runs/1`,
}
const wide = { width: 1440, height: 900 }
const narrow = { width: 320, height: 700 }
const main = Object.keys(pages)
const cases = [
  ...main.map((page) => ({ page, look: 'light', viewport: wide })),
  ...main.map((page) => ({ page, look: 'dark', viewport: wide })),
  ...['home', 'pipelines', 'runs', 'run-waiting', 'run-queued', 'run-failed', 'environments', 'environments-cell', 'environment', 'approvals', 'queue', 'library', 'library-group', 'library-connection', 'library-file', 'tests-one', 'pools', 'pipeline', 'new-pipeline', 'settings', 'settings-people'].map((page) => ({ page, look: 'narrow', viewport: narrow })),
  ...['home', 'runs', 'run-failed', 'environments', 'queue'].map((page) => ({ page, look: 'zoom200', viewport: { width: 720, height: 450 }, scale: 2 })),
  ...['home', 'pipelines', 'runs', 'run-waiting', 'environments', 'approvals'].map((page) => ({ page, look: 'long', viewport: wide, mood: 'long' })),
  ...['home', 'pipelines', 'runs', 'environments', 'approvals', 'pools', 'library', 'tests'].map((page) => ({ page, look: 'empty', viewport: wide, mood: 'empty' })),
  ...['home', 'runs', 'run-failed', 'environments'].map((page) => ({ page, look: 'error', viewport: wide, mood: 'error' })),
  { page: 'home', look: 'signedout', viewport: wide, mood: 'signedOut' },
  { page: 'environments', look: 'hover', viewport: wide, act: async (tab) => { await tab.hover('[data-place="0-1"]'); await tab.waitForSelector('[role=tooltip]') } },
  { page: 'home', look: 'palette', viewport: wide, act: async (tab) => { await tab.keyboard.press('Control+k'); await tab.fill('[role=combobox]', 'web'); await tab.waitForTimeout(200) } },
  { page: 'home', look: 'shortcuts', viewport: wide, act: async (tab) => { await tab.keyboard.press('?'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'home', look: 'menu', viewport: narrow, act: async (tab) => { await tab.click('button[aria-label=Menu]'); await tab.waitForTimeout(200) } },
  { page: 'environment', look: 'check', viewport: wide, act: async (tab) => { await tab.click('text=New check'); await tab.waitForSelector('[role=dialog]'); await tab.waitForSelector('text=Ada Moreno (ada)') } },
  { page: 'environment', look: 'resource', viewport: wide, act: async (tab) => { await tab.click('text=New resource'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'environments', look: 'order', viewport: wide, act: async (tab) => { await tab.click('text=Order'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'pools', look: 'limit', viewport: narrow, act: async (tab) => { await tab.click('button[aria-label="Edit pool Default"]'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'pipeline', look: 'edit', viewport: wide, act: async (tab) => { await tab.click('text=Edit pipeline'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'pools', look: 'join', viewport: wide, act: async (tab) => { await tab.click('text=New worker'); await tab.waitForSelector('text=SLIPWAY_WORKER_TOKEN') } },
  { page: 'library', look: 'delete', viewport: wide, act: async (tab) => { await tab.click('button[aria-label="Delete Release"]'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'approvals', look: 'reject', viewport: wide, act: async (tab) => { await tab.click('text=Reject'); await tab.waitForSelector('[role=dialog]') } },
  { page: 'run-failed', look: 'search', viewport: wide, act: async (tab) => { await tab.fill('input[type=search], [role=searchbox]', 'web'); await tab.keyboard.press('Enter'); await tab.waitForTimeout(300) } },
]

const only = process.argv.slice(2)
const chosen = cases.filter(({ page, look }) => only.length === 0 || only.some((part) => `${page}-${look}`.includes(part)))
const { base, stop } = await startPreview()
const browser = await launch()
let bad = 0
try {
  for (const { page, look, viewport, mood = 'usual', scale = 1, act } of chosen) {
    await fetch(`${base}/_mock/${mood}`)
    const context = await browser.newContext({ viewport, deviceScaleFactor: scale, colorScheme: look === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' })
    const tab = await context.newPage()
    const complaints = []
    tab.on('console', (message) => { if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text()) })
    tab.on('pageerror', (error) => complaints.push(error.message))
    await tab.goto(base + pages[page], { waitUntil: 'load' })
    await tab.waitForSelector('h1, [role=alert]')
    await tab.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null)
    if (page === 'queue' || /[?](group|connection|file)=/.test(pages[page])) await tab.waitForSelector('[role=dialog]')
    await tab.waitForTimeout(250)
    if (act !== undefined) await act(tab)
    const sideways = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    await tab.screenshot({ path: `${out}${page}-${look}.png`, fullPage: look === 'narrow' && act === undefined })
    if (sideways > 0) complaints.push(`the page scrolls ${sideways} px sideways`)
    if (complaints.length > 0) bad += 1
    console.log(`${page}-${look}${complaints.map((text) => `\n    ${text}`).join('')}`)
    await context.close()
  }
} finally {
  await browser.close()
  stop()
}
console.log(`${chosen.length} pictures, ${bad} with complaints`)
process.exitCode = bad === 0 ? 0 : 1

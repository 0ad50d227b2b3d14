#!/usr/bin/env node
// The portal against a real server, in a real browser: signs in by the one-time link, watches a run of the sample until it waits,
// approves production with a click, watches it finish, and reads the matrix.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN (a one-time link), SLIPWAY_RUN (id of a run that waits, or will wait, for the approval
// of production); optional SLIPWAY_PROJECT (space-game) and SLIPWAY_PICTURES (a folder: pictures of the pages are put there).
// Ends with status 0 when the browser showed all that it must; else says which step did not, with a picture of the page.
import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { axeSource, launch } from './browser.mjs'

const { SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_RUN, SLIPWAY_PROJECT = 'space-game', SLIPWAY_PICTURES } = process.env
for (const [name, value] of Object.entries({ SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_RUN })) {
  if (value === undefined) {
    console.error(`scenario: ${name} is not set; see the top of tests/portal/scenario.mjs`)
    process.exit(2)
  }
}
const base = SLIPWAY_URL.replace(/\/$/, '')
const out = fileURLToPath(new URL('./out/', import.meta.url))
mkdirSync(out, { recursive: true })
if (SLIPWAY_PICTURES !== undefined) mkdirSync(SLIPWAY_PICTURES, { recursive: true })

const browser = await launch()
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
const page = await context.newPage()
page.setDefaultTimeout(30_000)
const complaints = []
const inaccessible = []
page.on('pageerror', (error) => complaints.push(`page: ${error.message}`))
// 401 is what the portal asks for before anybody has signed in.
page.on('console', (message) => { if (message.type() === 'error' && !/status of 401/.test(message.text())) complaints.push(`console: ${message.text()} ${message.location().url}`) })

/** Runs a step; when it fails, says so with a picture of what the browser showed instead. */
async function step(name, action) {
  const start = performance.now()
  try {
    await action()
  } catch (error) {
    await page.screenshot({ path: `${out}failed.png` })
    throw new Error(`${name}: ${error.message}\n  at ${page.url()}, picture: ${out}failed.png`)
  }
  console.log(`ok  ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}

function must(condition, message) {
  if (!condition) throw new Error(message)
}

async function picture(name, options = {}) {
  if (SLIPWAY_PICTURES !== undefined) await page.screenshot({ path: `${SLIPWAY_PICTURES}/${name}.png`, ...options })
}

/** WCAG A and AA rules of axe on the page as it stands. */
async function accessible(name) {
  // Injected as text: the server's content security policy allows no script of another origin.
  await page.evaluate(readFileSync(axeSource(), 'utf8'))
  // Left out: the component library's own focus guards, and the numbers of log lines, which stand as close as the lines do.
  const exclude = ['[data-tabster-dummy]', '[role=log] button[aria-label^="Line "]']
  const { violations } = await page.evaluate((without) => window.axe.run({ include: document, exclude: without }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }), exclude)
  const list = violations.map((one) => `${one.id}: ${one.help} (${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join('; ')})`)
  if (list.length > 0) inaccessible.push(`${name}:\n    ${list.join('\n    ')}`)
}

const runPath = `/${SLIPWAY_PROJECT}/runs/${SLIPWAY_RUN}`
const runState = async () => (await page.locator('h1 svg').getAttribute('data-state')) ?? ''

let status = 0
try {
  await step('without a session the portal asks to sign in', async () => {
    await page.goto(base)
    await page.getByRole('heading', { name: 'Sign in to Slipway' }).waitFor()
  })
  await step('the one-time link signs in', async () => {
    await page.goto(SLIPWAY_SIGN_IN)
    await page.getByRole('navigation', { name: 'Project' }).waitFor()
  })
  await step('the link works once only', async () => {
    const other = await browser.newContext()
    const answer = await (await other.newPage()).goto(SLIPWAY_SIGN_IN)
    must(answer.status() >= 400, `a used link answered ${answer.status()}`)
    await other.close()
  })
  await step('home shows the last runs', async () => {
    await page.getByRole('heading', { name: 'Last runs' }).waitFor()
    await page.getByRole('table', { name: 'Last runs' }).waitFor()
    await accessible('home')
  })
  await step('the pipelines are listed', async () => {
    await page.getByRole('link', { name: 'Pipelines', exact: true }).first().click()
    await page.getByRole('link', { name: SLIPWAY_PROJECT, exact: true }).last().waitFor()
    await accessible('pipelines')
    await picture('pipelines')
  })
  await step('the queue dialog asks for the typed parameter', async () => {
    await page.getByRole('button', { name: `Run ${SLIPWAY_PROJECT}`, exact: true }).click()
    const target = page.getByRole('dialog').getByRole('combobox').first()
    await target.waitFor()
    const values = await target.locator('option').allTextContents()
    must(values.includes('kubernetes') && values.includes('docker'), `the parameter offers ${values.join(', ')}`)
    await picture('queue')
    await page.getByRole('button', { name: 'Cancel' }).click()
  })
  await step('the log of the run can be read', async () => {
    await page.goto(base + runPath)
    await page.getByRole('log').getByRole('button', { name: 'Line 1', exact: true }).waitFor()
  })
  await step('the run waits for the approval of production, and says so', async () => {
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.waitForFunction(() => document.querySelector('h1 svg')?.getAttribute('data-state') === 'waiting')
    must(/wait/i.test(await page.locator('h1').innerText()), `the sentence is "${await page.locator('h1').innerText()}"`)
    await accessible('a waiting run')
    await picture('run-waiting')
  })
  await step('the inbox has it, too', async () => {
    await page.goto(`${base}/${SLIPWAY_PROJECT}/approvals`)
    await page.locator(`article a[href$="${runPath}"]`).waitFor()
    await accessible('approvals')
    await picture('approvals')
  })
  await step('the matrix shows that production waits', async () => {
    await page.goto(`${base}/${SLIPWAY_PROJECT}/environments`)
    await page.getByRole('button', { name: /^web in production.*Waiting/ }).waitFor()
    await accessible('environments')
    await picture('environments-waiting')
  })
  await step('one click approves', async () => {
    await page.goto(base + runPath)
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('button', { name: 'Approve' }).waitFor({ state: 'detached' })
  })
  await step('without a reload the page shows how it ends', async () => {
    await page.waitForFunction(() => ['succeeded', 'issues', 'failed', 'canceled'].includes(document.querySelector('h1 svg')?.getAttribute('data-state') ?? ''))
    must((await runState()) === 'succeeded', `the run is ${await runState()}: ${await page.locator('h1').innerText()}`)
    await page.getByText(/^approved/).first().waitFor()
    await accessible('a finished run')
    await picture('run')
  })
  await step('tests, deployments, artifacts, changes, timeline and YAML show', async () => {
    const tab = (name) => page.getByRole('tab', { name })
    await tab('Tests').click()
    await page.getByText(/All tests passed/).waitFor()
    await accessible('tests of a run')
    await picture('tests')
    await tab(/Deployments/).click()
    await page.getByRole('tabpanel').getByRole('link', { name: /^production/ }).first().waitFor()
    await tab(/Artifacts/).click()
    await page.getByRole('tabpanel').getByRole('row').nth(1).waitFor()
    await page.getByRole('tabpanel').getByText('docker-compose.yml').waitFor()
    await accessible('artifacts of a run')
    await tab('Changes').click()
    await page.getByRole('tabpanel').locator('table, p').first().waitFor()
    await tab('Timeline').click()
    await page.getByRole('tabpanel').getByText('Production').first().waitFor()
    await picture('timeline')
    await tab('YAML').click()
    await page.getByRole('tabpanel').getByText('stages:').first().waitFor()
  })
  await step('the matrix shows the version of this run in production', async () => {
    await page.getByRole('link', { name: 'Environments', exact: true }).click()
    const cell = page.getByRole('button', { name: /^web in production/ }).first()
    await page.getByRole('button', { name: /^web in production.*Succeeded/ }).first().waitFor()
    await picture('environments')
    await cell.focus()
    await page.keyboard.press('Enter')
    const panel = page.getByRole('complementary', { name: /^History of web in production/ })
    await panel.locator(`a[href$="${runPath}"]`).first().waitFor()
    await panel.getByText(/approved by/).first().waitFor()
    await accessible('environments with history')
    await picture('history')
  })
  await step('the environment, the pools and the library show', async () => {
    await page.getByRole('button', { name: 'Close' }).click()
    await page.locator('thead').getByRole('link', { name: 'production', exact: true }).click()
    await page.getByRole('heading', { name: 'production' }).waitFor()
    await page.getByText(/^Approval by/).waitFor()
    await accessible('environment')
    await picture('environment')
    await page.getByRole('link', { name: 'Pools', exact: true }).click()
    await page.getByText(/online/).waitFor()
    await accessible('pools')
    await page.getByRole('link', { name: 'Library', exact: true }).click()
    await page.getByText('Container Registry Connection').waitFor()
    await accessible('library')
    await picture('library')
  })
  await step('the same in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.goto(base + runPath)
    await page.getByRole('log').getByRole('button', { name: 'Line 1', exact: true }).waitFor()
    await accessible('a finished run in the dark theme')
    await picture('run-dark')
    await page.goto(`${base}/${SLIPWAY_PROJECT}`)
    await page.getByRole('table', { name: 'Last runs' }).waitFor()
    await accessible('home in the dark theme')
    await picture('home-dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await picture('home')
  })
  await step('every page is accessible (WCAG 2.2 AA, axe)', () => must(inaccessible.length === 0, inaccessible.join('\n  ')))
  await step('the browser had nothing to complain about', () => must(complaints.length === 0, complaints.join('\n    ')))
} catch (error) {
  console.error(`not ok  ${error.message}`)
  if (complaints.length > 0) console.error(`  the browser said:\n    ${complaints.join('\n    ')}`)
  status = 1
} finally {
  await browser.close()
}
process.exitCode = status

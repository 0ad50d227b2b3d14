#!/usr/bin/env node
// The portal against a real server, in a real browser: signs in by the one-time link, watches a run of the sample until it waits,
// approves production with a click, watches it finish, and reads the matrix.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN (a one-time link), SLIPWAY_RUN (id of a run that waits, or will wait, for the approval
// of production); optional SLIPWAY_PROJECT (space-game) and SLIPWAY_PICTURES (a folder: pictures of the pages are put there).
// Ends with status 0 when the browser showed all that it must; else says which step did not, with a picture of the page.
import { environment, must, signedIn } from './signed-in.mjs'

const [run] = environment('SLIPWAY_RUN')
const project = process.env.SLIPWAY_PROJECT ?? 'space-game'
const runPath = `/${project}/runs/${run}`

async function stranger({ page, base, step }) {
  await step('without a session the portal asks to sign in', async () => {
    await page.goto(base)
    await page.getByRole('heading', { name: 'Sign in to Slipway' }).waitFor()
  })
}

await signedIn(async ({ page, base, link, step, accessible, picture, browser }) => {
  const runState = async () => (await page.locator('h1 svg').getAttribute('data-state')) ?? ''
  await step('the link works once only', async () => {
    const other = await browser.newContext()
    const answer = await (await other.newPage()).goto(link)
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
    await page.getByRole('link', { name: project, exact: true }).last().waitFor()
    await accessible('pipelines')
    await picture('pipelines')
  })
  await step('the queue dialog asks for the typed parameter', async () => {
    await page.getByRole('button', { name: `Run ${project}`, exact: true }).click()
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
    await page.locator('h1', { hasText: /wait/i }).waitFor()
    await accessible('a waiting run')
    await picture('run-waiting')
  })
  await step('the inbox has it, too', async () => {
    await page.goto(`${base}/${project}/approvals`)
    await page.locator(`article a[href$="${runPath}"]`).waitFor()
    await accessible('approvals')
    await picture('approvals')
  })
  await step('the matrix shows that production waits', async () => {
    await page.goto(`${base}/${project}/environments`)
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
    await page.goto(`${base}/${project}`)
    await page.getByRole('table', { name: 'Last runs' }).waitFor()
    await accessible('home in the dark theme')
    await picture('home-dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await picture('home')
  })
}, stranger)

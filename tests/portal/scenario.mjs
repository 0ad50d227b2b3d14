#!/usr/bin/env node
// The portal against a real server, in a real browser: signs in by the one-time link, watches a run of the sample until it waits,
// approves production with a click, watches it finish, and reads the matrix.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN (a one-time link), SLIPWAY_RUN (id of a run that waits, or will wait, for the approval
// of production); optional SLIPWAY_PROJECT (space-game) and SLIPWAY_PICTURES (a folder: pictures of the pages are put there).
// Ends with status 0 when the browser showed all that it must; else says which step did not, with a picture of the page.
import { dialogs, opener, runPage, settled } from './on-page.mjs'
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

await signedIn(async ({ page, base, link, step, look, browser }) => {
  const { runState, runReaches, log } = runPage(page)
  const { dialog, button, gone } = dialogs(page, look)
  const open = opener(page, base, project)
  const openRun = async () => {
    await page.goto(base + runPath)
    await log.getByRole('button', { name: 'Line 1', exact: true }).waitFor()
  }
  await step('the link works once only', async () => {
    const other = await browser.newContext()
    const answer = await (await other.newPage()).goto(link)
    must(answer.status() >= 400, `a used link answered ${answer.status()}`)
    await other.close()
  })
  await step('home shows the last runs', async () => {
    await page.getByRole('heading', { name: 'Last runs' }).waitFor()
    await page.getByRole('table', { name: 'Last runs' }).waitFor()
    await look('home')
  })
  await step('the pipelines are listed', async () => {
    await page.getByRole('link', { name: 'Pipelines', exact: true }).first().click()
    await page.getByRole('link', { name: project, exact: true }).last().waitFor()
    await settled(page)
    await look('pipelines')
  })
  await step('the queue dialog asks for the typed parameter', async () => {
    await button(`Run ${project}`).click()
    const target = dialog().getByRole('combobox').first()
    await target.waitFor()
    const values = await target.locator('option').allTextContents()
    must(values.includes('kubernetes') && values.includes('docker'), `the parameter offers ${values.join(', ')}`)
    await look('queue')
    await button('Cancel').click()
    await gone()
  })
  await step('the log of the run can be read', async () => {
    await openRun()
  })
  await step('the run waits for the approval of production, and says so', async () => {
    await button('Approve').waitFor()
    await runReaches('waiting')
    await page.locator('h1', { hasText: /wait/i }).waitFor()
    await look('run-waiting')
  })
  await step('the inbox has it, too', async () => {
    await open('approvals', 'Approvals')
    await page.locator(`article a[href$="${runPath}"]`).waitFor()
    await look('approvals')
  })
  await step('the matrix shows that production waits', async () => {
    await open('environments', 'Environments')
    await page.getByRole('button', { name: /^web in production.*Waiting/ }).waitFor()
    await look('environments-waiting')
  })
  await step('one click approves', async () => {
    await openRun()
    await button('Approve').click()
    await button('Approve').waitFor({ state: 'detached' })
  })
  await step('without a reload the page shows how it ends', async () => {
    await runReaches('succeeded', 'issues', 'failed', 'canceled')
    must((await runState()) === 'succeeded', `the run is ${await runState()}: ${await page.locator('h1').innerText()}`)
    await page.getByText(/^approved/).first().waitFor()
    await look('run')
  })
  await step('tests, deployments, artifacts, changes, timeline and YAML show', async () => {
    const tab = (name) => page.getByRole('tab', { name })
    await tab(/^Tests \d+$/).click()
    await page.getByText(/All tests passed/).waitFor()
    await look('tests')
    await tab(/Deployments/).click()
    await page.getByRole('tabpanel').getByRole('link', { name: /^production/ }).first().waitFor()
    await tab(/Artifacts/).click()
    await page.getByRole('tabpanel').getByRole('row').nth(1).waitFor()
    await page.getByRole('tabpanel').getByText('docker-compose.yml').waitFor()
    await look('artifacts')
    await tab('Changes').click()
    await page.getByRole('tabpanel').locator('table, p').first().waitFor()
    await tab('Timeline').click()
    await page.getByRole('tabpanel').getByText('Production').first().waitFor()
    await look('timeline')
    await tab('YAML').click()
    await page.getByRole('tabpanel').getByText('stages:').first().waitFor()
  })
  await step('the matrix shows the version of this run in production', async () => {
    await page.getByRole('link', { name: 'Environments', exact: true }).click()
    const cell = page.getByRole('button', { name: /^web in production/ }).first()
    await page.getByRole('button', { name: /^web in production.*Succeeded/ }).first().waitFor()
    await look('environments')
    await cell.focus()
    await page.keyboard.press('Enter')
    const panel = page.getByRole('complementary', { name: /^History of web in production/ })
    await panel.locator(`a[href$="${runPath}"]`).first().waitFor()
    await panel.getByText(/approved by/).first().waitFor()
    await look('history')
  })
  await step('the environment, the pools and the library show', async () => {
    await button('Close').click()
    await page.locator('thead').getByRole('link', { name: 'production', exact: true }).click()
    await page.getByRole('heading', { name: 'production' }).waitFor()
    await page.getByText(/^Approval by/).waitFor()
    await look('environment')
    await page.getByRole('link', { name: 'Pools', exact: true }).click()
    await page.getByText(/online/).waitFor()
    await look('pools')
    await page.getByRole('link', { name: 'Library', exact: true }).click()
    await page.getByText('Container Registry Connection').waitFor()
    await look('library')
  })
}, stranger)

#!/usr/bin/env node
// An independent release of one service, done wholly in the browser: queue its pipeline with a typed parameter, follow the log, approve,
// and see in the matrix that this service moved and the other did not.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_COMMIT (the newest commit of main, not released yet) and SLIPWAY_SUBJECT (the first
// line of its message); optional SLIPWAY_PICTURES. Ends with status 0 when all held.
import { dialogs, opener, runPage } from './on-page.mjs'
import { environment, eventually, must, signedIn } from './signed-in.mjs'

const [commit, subject] = environment('SLIPWAY_COMMIT', 'SLIPWAY_SUBJECT')
const project = 'space-game'
const short = commit.slice(0, 7)

await signedIn(async ({ page, base, step, look }) => {
  const { dialog, button } = dialogs(page, look)
  const { runState, runReaches, log } = runPage(page, { seconds: 120 })
  const open = opener(page, base, project)
  const cell = (service, place) => page.getByRole('button', { name: new RegExp(`^${service} in ${place}`) }).first()
  /** Without the age, which goes on. */
  const version = async (service, place) => /[0-9a-f]{7}/.exec(await cell(service, place).innerText())?.[0]
  const matrix = () => open('environments', 'Environments')
  let before

  await step('the matrix shows what is where before', async () => {
    await matrix()
    await cell('web', 'production').waitFor()
    before = { web: [await version('web', 'dev'), await version('web', 'production')], leaderboard: await version('leaderboard', 'production') }
    must(before.leaderboard !== undefined && before.leaderboard !== short, `the leaderboard in production is ${before.leaderboard}`)
  })
  await step('the page of the pipeline says what starts it', async () => {
    await open('pipelines', 'Pipelines')
    await page.getByRole('link', { name: 'leaderboard', exact: true }).click()
    await page.getByText('A push to main').waitFor()
    await page.getByText(/only when files change below leaderboard/).first().waitFor()
    await page.getByAltText('State of leaderboard').waitFor()
    await look('pipeline')
  })
  await step('the queue dialog takes a typed parameter', async () => {
    await button('Run pipeline').click()
    const target = dialog().getByRole('combobox', { name: 'Where to deploy' })
    await target.waitFor()
    await dialog().getByText(short).waitFor()
    await look('queue')
    await target.selectOption('docker')
    await button('Queue run').click()
    await page.waitForURL(/\/runs\/\d+/)
    await page.getByText('target=docker').waitFor()
  })
  await step('the log follows the run, without a reload', async () => {
    await log.getByRole('button', { name: 'Line 1', exact: true }).waitFor()
    await button('Approve').waitFor({ timeout: 120_000 })
    await page.locator('h1', { hasText: /waits for approval by/ }).waitFor()
  })
  await step('the approval says from which version to which', async () => {
    const article = page.getByRole('article')
    await article.getByText(before.leaderboard).waitFor()
    await article.getByText(short).first().waitFor()
    await look('run-waiting')
    await article.getByRole('button', { name: 'Approve' }).click()
    await runReaches('succeeded', 'failed', 'canceled')
    must((await runState()) === 'succeeded', `the run is ${await runState()}: ${await page.locator('h1').innerText()}`)
    await eventually(page, () => page.locator('h1').innerText(), (text) => /deployed leaderboard to dev and production/.test(text), (text) => `the sentence is "${text}"`)
  })
  await step('the matrix: the leaderboard has moved, the web site has not', async () => {
    await matrix()
    await cell('leaderboard', 'production').getByText(short).waitFor()
    await cell('leaderboard', 'dev').getByText(short).waitFor()
    const web = [await version('web', 'dev'), await version('web', 'production')]
    must(JSON.stringify(web) === JSON.stringify(before.web), `the web site is at ${web.join(', ')}, was at ${before.web.join(', ')}`)
    await cell('leaderboard', 'production').getByText(subject).waitFor()
    await look('environments-released')
  })
  await step('arrow keys and Enter tell how it got there', async () => {
    await cell('leaderboard', 'dev').focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    const panel = page.getByRole('complementary', { name: /^History of leaderboard in production/ })
    await panel.getByText(/approved by/).first().waitFor()
    await panel.getByText('1 new commit and image').first().click()
    await panel.getByText(subject).first().waitFor()
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  })
  await step('the same at 390 pixels, without scrolling sideways', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    for (const path of ['', '/pipelines', '/runs', '/environments', '/environments/2', '/approvals?show=all', '/pools', '/library']) {
      await page.goto(`${base}/${project}${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      must(over <= 0, `${path || 'home'} scrolls ${over} pixels sideways`)
      await look(`${path.slice(1).replaceAll(/[/?=]/g, '-') || 'home'}-390`)
    }
  })
})

#!/usr/bin/env node
// Single jobs of a run, from the run's page: one that failed runs again while its stage goes on, others are canceled, each says why it waits, and
// every attempt keeps its log. A second run that is queued meanwhile shows everywhere that it waits, and where in the queue.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_RUN, SLIPWAY_PROJECT, SLIPWAY_GO (a path: the job "Try again" fails until it exists).
// The run has the jobs "Try again", "Long" (never ends by itself) and "Demanding" (asks for what no worker has); one worker with one slot.
import { writeFileSync } from 'node:fs'
import { api, dialogs, opener, runPage } from './on-page.mjs'
import { environment, must, signedIn } from './signed-in.mjs'

const [run, project, go] = environment('SLIPWAY_RUN', 'SLIPWAY_PROJECT', 'SLIPWAY_GO')

await signedIn(async ({ page, base, step, accessible, look, picture }) => {
  const { row, reaches, runReaches, log } = runPage(page)
  const { dialog, button, ask, press } = dialogs(page, look)
  const { get, becomes } = api(page, base)
  const open = opener(page, base, project)

  await step('a job fails while another goes on', async () => {
    await page.goto(`${base}/${project}/runs/${run}`)
    await reaches('Try again', 'failed')
    await reaches('Long', 'running')
  })
  await step('what no worker can do says what is missing', async () => {
    await row('Demanding').click()
    await page.getByRole('tabpanel').getByText(/lacks: hovercraft/).first().waitFor()
    await look('job-waits')
  })
  let second
  const place = /^The run waits for a worker: \d+ of \d+ in the queue of Default/
  await step('a run that is queued with a priority waits, and says so on its page', async () => {
    await open('pipelines', 'Pipelines')
    await ask('Run main')
    await dialog().getByRole('textbox', { name: 'go' }).fill(go)
    await dialog().getByRole('combobox', { name: 'Priority' }).selectOption('Low')
    await look('queue-priority')
    await press('Queue run')
    await page.waitForURL(/\/runs\/\d+/)
    second = /\/runs\/(\d+)/.exec(page.url())[1]
    await runReaches('queued')
    await page.locator('h1', { hasText: 'The run waits for a worker.' }).waitFor()
    await reaches('Try again', 'queued')
    const panel = page.getByRole('region', { name: 'What it waits for' })
    await panel.getByText(/\d of \d in the queue of pool 'Default'/).first().waitFor()
    await page.getByText('low priority').waitFor()
    await look('run-queued')
    must((await get(`/${project}/_apis/build/builds/${second}`)).priority === 'low', 'the priority was not sent')
    await panel.getByRole('combobox', { name: 'Priority' }).selectOption('Below normal')
    await becomes(`/${project}/_apis/build/builds/${second}`, (build) => build.priority === 'belowNormal')
    await page.getByText('below normal priority').waitFor()
  })
  await step('the lists show it as queued, with its place', async () => {
    await open('runs', 'Runs')
    const line = page.getByRole('row').filter({ has: page.locator(`a[href$="/runs/${second}"]`) })
    await line.getByText(place).waitFor()
    must((await line.locator('svg').first().getAttribute('data-state')) === 'queued', 'the run does not show as queued in the list')
    await page.getByText(/^1 running, 1 queued; /).or(page.getByText('1 running, 1 queued.')).waitFor()
    await look('runs-queued')
    await open('pipelines', 'Pipelines')
    await page.getByText(/^Queued, \d+ of \d+ in the queue of Default/).filter({ visible: true }).waitFor()
    await look('pipelines-queued')
    await open('pools', 'Pools')
    await page.getByRole('region', { name: 'Waiting for a worker' }).getByText(/in the queue of pool 'Default'/).first().waitFor()
    await look('pools-queued')
    await page.setViewportSize({ width: 390, height: 844 })
    for (const [path, heading] of [['runs', 'Runs'], ['pipelines', 'Pipelines'], ['pools', 'Pools']]) {
      await open(path, heading)
      await look(`${path}-queued-390`)
    }
    await page.setViewportSize({ width: 1440, height: 900 })
  })
  await step('it is canceled before any worker has it', async () => {
    await page.goto(`${base}/${project}/runs/${second}`)
    await button('Cancel run').click()
    await runReaches('canceled')
    await page.goto(`${base}/${project}/runs/${run}`)
  })
  await step('the failed job runs again at once, and waits for its turn', async () => {
    await row('Try again').click()
    await button('Retry job Try again').click()
    await button('Retry job Try again').waitFor({ state: 'detached' })
    await button('Cancel job Try again').waitFor()
    await reaches('Try again', 'queued')
    await row('Try again').getByText('attempt 2').waitFor()
    await accessible('a job that runs again')
  })
  await step('the long job is canceled, the retried one gets its worker and succeeds', async () => {
    writeFileSync(go, '')
    await row('Long').click()
    await button('Cancel job Long').click()
    await reaches('Long', 'canceled')
    await reaches('Try again', 'succeeded')
  })
  await step('both attempts keep their log', async () => {
    await row('Wait for the file').click()
    await log.getByText('it is there', { exact: true }).waitFor()
    const attempts = page.getByRole('tablist', { name: 'Attempts' })
    await attempts.getByRole('tab', { name: 'Attempt 1' }).click()
    await log.getByText('it is not there yet', { exact: true }).waitFor()
    await accessible('an earlier attempt')
    await picture('attempts')
    await attempts.getByRole('tab', { name: 'Attempt 2' }).click()
    await log.getByText('it is there', { exact: true }).waitFor()
  })
  await step('the run ends when the last job is canceled', async () => {
    await row('Demanding').click()
    await button('Cancel job Demanding').click()
    await runReaches('failed', 'canceled')
    const answer = await get(`/${project}/_apis/slipway/runs/${run}`)
    must(answer.status === 'completed', `the run is ${answer.status}`)
  })
})

#!/usr/bin/env node
// Single jobs of a run, from the run's page: one that failed runs again while its stage goes on, others are canceled, each says why it waits, and
// every attempt keeps its log.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_RUN, SLIPWAY_PROJECT, SLIPWAY_GO (a path: the job "Try again" fails until it exists).
// The run has the jobs "Try again", "Long" (never ends by itself) and "Demanding" (asks for what no worker has); one worker with one slot.
import { writeFileSync } from 'node:fs'
import { environment, eventually, must, signedIn } from './signed-in.mjs'

const [run, project, go] = environment('SLIPWAY_RUN', 'SLIPWAY_PROJECT', 'SLIPWAY_GO')

await signedIn(async ({ page, base, step, accessible, picture }) => {
  const tree = page.getByRole('navigation', { name: 'Jobs and steps' })
  const row = (name) => tree.getByRole('link', { name: new RegExp(`\\b${name}\\b`) }).first()
  const state = (name) => row(name).locator('svg').getAttribute('data-state')
  const reaches = (name, wanted) => eventually(page, () => state(name), (value) => value === wanted, (value) => `${name} is ${value}, not ${wanted}`)
  const button = (name) => page.getByRole('button', { name, exact: true })
  const log = page.getByRole('log')

  await step('a job fails while another goes on', async () => {
    await page.goto(`${base}/${project}/runs/${run}`)
    await reaches('Try again', 'failed')
    await reaches('Long', 'running')
  })
  await step('what no worker can do says what is missing', async () => {
    await row('Demanding').click()
    await page.getByRole('tabpanel').getByText(/lacks: hovercraft/).first().waitFor()
    await accessible('a job that waits')
    await picture('job-waits')
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
    await page.waitForFunction(() => ['failed', 'canceled'].includes(document.querySelector('h1 svg')?.getAttribute('data-state') ?? ''))
    const answer = await (await page.request.get(`${base}/${project}/_apis/slipway/runs/${run}`)).json()
    must(answer.status === 'completed', `the run is ${answer.status}`)
  })
})

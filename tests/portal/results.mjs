#!/usr/bin/env node
// What a run left behind: its tests with their history, its artifacts with a look into their files; each in both themes, and by the keyboard.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_PROJECT, SLIPWAY_RUN: a run in which the test scores.keeps_top_ten failed, and passed in
// the run before; it published the artifact "notes" with notes.md, picture.svg and numbers.dat, which is no text. Optional SLIPWAY_PICTURES.
import { opener, runPage, settled } from './on-page.mjs'
import { environment, must, signedIn } from './signed-in.mjs'

const [run, project] = environment('SLIPWAY_RUN', 'SLIPWAY_PROJECT')

await signedIn(async ({ page, base, step, look }) => {
  const { runReaches } = runPage(page)
  const open = opener(page, base, project)
  const go = async (tab) => {
    await page.goto(`${base}/${project}/runs/${run}?tab=${tab}`)
    await page.getByRole('tabpanel').waitFor()
    await settled(page)
  }
  const button = (name) => page.getByRole('button', { name, exact: true })
  const panel = page.getByRole('tabpanel')

  await step('the run says that a test failed, and leads to it', async () => {
    await page.goto(`${base}/${project}/runs/${run}`)
    await runReaches('failed')
    await page.getByRole('link', { name: /1 .*failed/ }).first().click()
    await panel.getByText('keeps_top_ten').first().waitFor()
    await look('tests-of-a-run')
  })
  await step('a failed test shows its message and how it went before', async () => {
    await go('tests')
    await panel.getByText('expected 10 entries, got 9').first().waitFor()
    await panel.getByText('New failure: it passed in the run before.').first().waitFor()
    await look('test-history')
  })
  await step('the files of an artifact are looked at in place', async () => {
    await go('artifacts')
    await button('Preview notes.md').focus()
    await page.keyboard.press('Enter')
    const preview = page.getByRole('region', { name: 'Preview of notes.md' })
    await preview.getByText('Shows the top ten').waitFor()
    await look('artifact-preview-text')
    await button('Close the preview of notes.md').click()
    await preview.waitFor({ state: 'detached' })
    await button('Preview picture.svg').click()
    await page.getByRole('region', { name: 'Preview of picture.svg' }).waitFor()
    await settled(page)
    await look('artifact-preview-picture')
    await button('Close the preview of picture.svg').click()
    await button('Preview numbers.dat').click()
    await page.getByText('These bytes are no text').waitFor()
    await look('artifact-preview-bytes')
  })
  await step('the tests of the pipeline over its runs', async () => {
    await open('tests', 'Tests')
    await page.getByRole('link', { name: 'keeps_top_ten', exact: true }).click()
    await page.getByRole('group', { name: /^Duration and outcome/ }).getByRole('link').nth(1).waitFor()
    await look('test-history-of-a-pipeline')
    await button('Close').click()
  })
  await step('the same at 390 pixels, without scrolling sideways', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    for (const tab of ['tests', 'artifacts', 'timeline', 'changes', 'yaml']) {
      await go(tab)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      must(over <= 0, `${tab} scrolls ${over} pixels sideways`)
      await look(`${tab}-390`)
    }
  })
})

import { screen, waitFor, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'
import { mood } from '@/testing/handlers'
import { address, open } from '@/testing/render'
import { detail, runningRun } from '@/testing/scenario'
import { server } from '@/testing/server'

const P = '/space-game'
const soon = { timeout: 30_000 }

describe('the portal', () => {
  it('asks to sign in and says how', async () => {
    mood.current = 'signedOut'
    open(P)
    expect(await screen.findByRole('heading', { name: 'Sign in to Slipway' }, soon)).toBeVisible()
    expect(screen.getByText('slipway signin')).toBeVisible()
  })

  it('goes straight to the only project', async () => {
    open('/')
    expect(await screen.findByRole('heading', { name: 'space-game' }, soon)).toBeVisible()
    expect(address()).toBe(P)
  })

  it('jumps with Ctrl-K', async () => {
    const { user } = open(P)
    await screen.findByRole('heading', { name: 'space-game' }, soon)
    await user.keyboard('{Control>}k{/Control}')
    await user.type(await screen.findByRole('combobox', { name: 'Search or jump' }, soon), 'production')
    // The palette knows an environment once the matrix is there.
    await screen.findByRole('option', { name: /production/ }, soon)
    await user.keyboard('{Enter}')
    await waitFor(() => expect(address()).toBe(`${P}/environments/2`), soon)
  })

  it('leads addresses of Azure DevOps to the same run', async () => {
    open(`${P}/_build/results?buildId=1871&view=results`)
    await waitFor(() => expect(address()).toBe(`${P}/runs/1871`), soon)
  })

  it.each([['runs/abc', 'There is no run abc'], ['pipelines/abc', 'There is no pipeline abc']])('says what %s is not', async (path, title) => {
    open(`${P}/${path}`)
    expect(await screen.findByRole('heading', { name: title }, soon)).toBeVisible()
  })

  it('says that there is no such project, once', async () => {
    server.use(http.get('*/nowhere/_apis/*', () => HttpResponse.json({ message: "no project 'nowhere'" }, { status: 404 })))
    open('/nowhere')
    expect(await screen.findByRole('heading', { name: 'There is no project nowhere' }, soon)).toBeVisible()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('says when an address leads nowhere', async () => {
    open(`${P}/nowhere`)
    expect(await screen.findByText('There is no such page', undefined, soon)).toBeVisible()
  })
})

describe('approvals', () => {
  function decisions(): unknown[] {
    const list: unknown[] = []
    server.use(http.patch('*/_apis/pipelines/approvals', async ({ request }) => {
      expect(request.headers.get('X-Slipway-Request')).toBe('1')
      list.push(await request.json())
      return HttpResponse.json({ count: 1, value: [] })
    }))
    return list
  }

  it('one click approves, from the page of the run', async () => {
    const sent = decisions()
    const { user } = open(`${P}/runs/1871`)
    await user.click(await screen.findByRole('button', { name: 'Approve' }, soon))
    await waitFor(() => expect(sent).toEqual([[{ approvalId: '7d0c2f6e', status: 'approved', comment: '' }]]))
  })

  it('rejecting asks for a reason', async () => {
    const sent = decisions()
    const { user } = open(`${P}/approvals`)
    await user.click(await screen.findByRole('button', { name: 'Reject' }, soon))
    const dialog = within(await screen.findByRole('dialog', undefined, soon))
    await user.click(dialog.getByRole('button', { name: 'Reject' }))
    expect(dialog.getByText(/Say why/)).toBeVisible()
    expect(sent).toEqual([])
    await user.type(dialog.getByRole('textbox'), 'the header is broken')
    await user.click(dialog.getByRole('button', { name: 'Reject' }))
    await waitFor(() => expect(sent).toEqual([[{ approvalId: '7d0c2f6e', status: 'rejected', comment: 'the header is broken' }]]))
  })

  it('a decision that the server refuses is shown, not lost', async () => {
    server.use(http.patch('*/_apis/pipelines/approvals', () => HttpResponse.json({ message: 'you may not approve your own run', code: 'forbidden' }, { status: 403 })))
    const { user } = open(`${P}/approvals`)
    await user.click(await screen.findByRole('button', { name: 'Approve' }, soon))
    expect(await screen.findByText(/You may not approve your own run/, undefined, soon)).toBeVisible()
  })
})

describe('a run that waits for a worker', () => {
  it('says so in the list, with its place in the queue', async () => {
    open(`${P}/runs`)
    expect(await screen.findByText('Build waits for a worker: 2 of 3 in the queue of Default', undefined, soon)).toBeVisible()
  })

  it('says why on its page, and can be made more urgent', async () => {
    const bodies: unknown[] = []
    server.use(http.patch('*/_apis/build/builds/1874', async ({ request }) => {
      bodies.push(await request.json())
      return HttpResponse.json({ id: 1874 })
    }))
    const { user } = open(`${P}/runs/1874`)
    const panel = within(await screen.findByRole('region', { name: 'What it waits for' }, soon))
    expect(panel.getByText(/2 of 3 in the queue of pool 'Default'/)).toBeVisible()
    expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Build waits for a worker.')
    await user.selectOptions(panel.getByRole('combobox', { name: 'Priority' }), 'High')
    await waitFor(() => expect(bodies).toEqual([{ priority: 'high' }]))
  })
})

describe('the queue dialog', () => {
  it('sends typed values and goes to the run', async () => {
    let body: unknown
    server.use(http.post('*/_apis/pipelines/:id/runs', async ({ request }) => {
      body = await request.json()
      return HttpResponse.json({ id: 1873, name: '20261121.1' })
    }))
    const { user } = open(`${P}/pipelines?run=1`)
    await user.selectOptions(await screen.findByRole('combobox', { name: 'Where to deploy' }, soon), 'docker')
    const replicas = screen.getByRole('textbox', { name: 'Replicas' })
    await user.clear(replicas)
    await user.type(replicas, 'many')
    await user.click(screen.getByRole('checkbox', { name: 'Verbose logs' }))
    await user.click(screen.getByRole('checkbox', { name: 'Test' }))
    await user.click(screen.getByRole('button', { name: 'Queue run' }))
    expect(await screen.findByText('"many" is not a number.')).toBeVisible()
    expect(body).toBeUndefined()
    // Of a long form the wrong field may be out of sight.
    await waitFor(() => expect(replicas).toHaveFocus())
    expect(screen.getByText(/^Production cannot be left out/)).toBeVisible()
    const regions = within(screen.getByRole('group', { name: 'Regions' }))
    expect(regions.getByRole('checkbox', { name: 'us' })).toBeChecked()
    await user.click(regions.getByRole('checkbox', { name: 'asia' }))
    await user.click(regions.getByRole('checkbox', { name: 'us' }))
    await user.clear(replicas)
    await user.type(replicas, '3')
    expect(screen.getByText(/Dev would run although a stage before it is left out/)).toBeVisible()
    await user.selectOptions(screen.getByRole('combobox', { name: 'Priority' }), 'High')
    await user.click(screen.getByRole('button', { name: 'Queue run' }))
    await waitFor(() => expect(address()).toBe(`${P}/runs/1873`), soon)
    expect(body).toEqual({
      resources: { repositories: { self: { refName: 'refs/heads/main' } } },
      templateParameters: { target: 'docker', replicas: 3, verbose: true, labels: 'team: arcade', regions: '- eu\n- asia' }, stagesToSkip: ['Test'], priority: 'high',
    })
  })

  it('says when the branch does not exist', async () => {
    const { user } = open(`${P}/pipelines?run=1`)
    const branch = await screen.findByRole('textbox', { name: 'Branch or tag' }, soon)
    await waitFor(() => expect(branch).toHaveValue('main'))
    await user.clear(branch)
    await user.type(branch, 'missing{Enter}')
    expect(await screen.findByText(/Branch "missing" does not exist/, undefined, soon)).toBeVisible()
    expect(screen.getByRole('button', { name: 'Queue run' })).toBeDisabled()
  })
})

describe('environments', () => {
  it('answers by keyboard how a version got there', async () => {
    const { user } = open(`${P}/environments`)
    const first = await screen.findByRole('button', { name: /^leaderboard in dev.default: 77fe012/ }, soon)
    first.focus()
    await user.keyboard('{ArrowDown}{ArrowRight}')
    await waitFor(() => expect(screen.getByRole('button', { name: /^web in production.eu: 8d01b7a.*Waiting/ })).toHaveFocus())
    await user.keyboard('{Enter}')
    const panel = within(await screen.findByRole('complementary', { name: 'History of web in production.eu' }, soon))
    expect(await panel.findByText(/first deployment/, undefined, soon)).toBeVisible()
    expect(address()).toBe(`${P}/environments?cell=1-2-20`)
    await user.keyboard('{Escape}')
    await waitFor(() => expect(address()).toBe(`${P}/environments`))
  })

  it('shows the past with a band that says so', async () => {
    open(`${P}/environments?at=2026-11-01T10:00:00.000Z`)
    expect(await screen.findByText(/^As it was on .*2026/, undefined, soon)).toBeVisible()
  })
})

describe('tests', () => {
  it('shows which are flaky, and how one went', async () => {
    const { user } = open(`${P}/tests`)
    expect(await screen.findByText('2 tests: 1 flaky, 1 slower than before.', undefined, soon)).toBeVisible()
    await user.click(await screen.findByRole('link', { name: 'renders_top_ten_with_ties' }, soon))
    expect(await screen.findByText(/at 2 commits the same job saw it pass and fail/, undefined, soon)).toBeVisible()
    expect(await screen.findByRole('link', { name: /Run 20261120.4: Passed/ }, soon)).toBeVisible()
  })
})

describe('one job of a run', () => {
  it('is canceled from its row, and says what it is doing', async () => {
    const sent: unknown[] = []
    server.use(
      http.get('*/_apis/slipway/runs/1873/explain', () => HttpResponse.json({
        sentence: '', waiting: [], jobs: [{ id: 'j-9', stage: 'Build', name: 'Image of leaderboard', identifier: 'Build.Job.__default', state: 'running', sentence: 'runs' }],
      })),
      http.get('*/_apis/slipway/runs/1873', () => {
        const run = detail(runningRun)
        return HttpResponse.json({ ...run, records: run.records.map((one) => (one.type === 'Job' ? { ...one, identifier: 'Build.Job.__default' } : one)) })
      }),
      http.patch('*/_apis/slipway/runs/1873/jobs/:job', async ({ request, params }) => {
        sent.push([params.job, await request.json()])
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const { user } = open(`${P}/runs/1873`)
    await user.click(await screen.findByRole('button', { name: 'Cancel job Image of leaderboard' }, soon))
    await waitFor(() => expect(sent).toEqual([['j-9', { state: 'cancel' }]]), soon)
  })
})

describe('lists', () => {
  it('an error says what happened and can be tried again', async () => {
    mood.current = 'error'
    const { user } = open(`${P}/runs`)
    expect(await screen.findByText('Could not list the runs.', undefined, soon)).toBeVisible()
    mood.current = 'usual'
    await user.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByRole('link', { name: /space-game 20261121.3/ }, soon)).toBeVisible()
  })

  it.each([['pipelines', /no pipeline yet/], ['runs', /Nothing has run yet/], ['environments', /No version is in any environment yet/], ['approvals', /Nothing waits/], ['pools', /no pool/], ['library', /No secure file yet/]])(
    'an empty %s page teaches', async (page, text) => {
      mood.current = 'empty'
      open(`${P}/${page}`)
      expect((await screen.findAllByText(text, undefined, soon))[0]).toBeVisible()
    })

  it('secrets are never on the page', async () => {
    server.use(http.get('*/_apis/distributedtask/variablegroups', () => HttpResponse.json({ count: 1, value: [{ id: 1, name: 'Release', variables: { token: { value: 'hunter2', isSecret: true } } }] })))
    open(`${P}/library`)
    expect(await screen.findByText('secret, not shown', undefined, soon)).toBeVisible()
    expect(screen.queryByText('hunter2')).toBeNull()
  })
})

import { describe, expect, it } from 'vitest'
import { triggersOf } from './triggers'

const said = (text: string) => triggersOf(text).map(({ when, only }) => [when, ...only].join('; '))

describe('triggers', () => {
  it.each<[string, string, string[]]>([
    ['a file that names none runs on everything', 'steps: []', ['A push to any branch', 'A pull request to any branch']],
    ['none switches off', 'trigger: none\npr: none', []],
    ['so does enabled: false', 'trigger:\n  enabled: false\npr:\n  enabled: false', []],
    ['a list of branches', 'trigger: [main, release/*]\npr: none', ['A push to main, release/*']],
    ['paths and branches', 'trigger:\n  branches: {include: [refs/heads/main], exclude: [old]}\n  paths: {include: [web], exclude: [web/docs]}\n  batch: true\npr: none',
      ['A push to main; not old; only when files change below web; not for files below web/docs; pushes during a run are gathered into the next']],
    ['tags', 'trigger:\n  branches: {include: [main]}\n  tags: {include: [v*]}\npr: none', ['A push to main', 'A tag v*']],
    ['a schedule', 'trigger: none\npr: none\nschedules:\n- cron: 0 3 * * *\n  displayName: Every night\n  branches: {include: [main]}', ['Every night: 0 3 * * * (UTC) on main; only when something has changed since the last time']],
    ['another pipeline', 'trigger: none\npr: none\nresources:\n  pipelines:\n  - pipeline: base\n    source: images\n    trigger: true\n  - pipeline: quiet', ['A finished run of images']],
  ])('%s', (_, text, expected) => expect(said(text)).toEqual(expected))
})

import { describe, expect, it } from 'vitest'
import { parseAnsi, paletteColour, plainText } from './ansi'
import { age, branchName, bytes, clock, duration, elapsed, runName, shellWord, short } from './format'
import { stateOfDeployment, stateOfRecord, stateOfRun } from './state'

const now = Date.UTC(2026, 10, 21, 14, 0, 0)

describe('age', () => {
  it.each([
    ['a clock that is ahead of ours', -5000, 'now'], ['under a minute', 59_000, 'now'], ['minutes', 5 * 60_000, '5 min'], ['one hour', 3_600_000, '1 h'],
    ['hours', 23.9 * 3_600_000, '23 h'], ['days', 3 * 86_400_000, '3 d'], ['months', 90 * 86_400_000, '3 mo'], ['years', 800 * 86_400_000, '2 y'],
  ])('%s', (_, old, text) => expect(age(now - old, now)).toBe(text))
})

describe('the name of a run', () => {
  it.each([
    [{ runNumber: '20261121.1', pipeline: { name: 'web' } }, 'web 20261121.1'], [{ runNumber: '20261121.1' }, 'run 20261121.1'],
  ])('%j', (run, text) => expect(runName(run)).toBe(text))
})

describe('duration', () => {
  it.each([[0, '0s'], [49, '<0.1s'], [50, '0.1s'], [240, '0.2s'], [9_949, '9.9s'], [9_960, '10s'], [59_499, '59s'], [59_500, '1m00s'], [62_000, '1m02s'], [3_840_000, '1h04m'], [-1, ''], [NaN, '']])('%d ms', (ms, text) =>
    expect(duration(ms)).toBe(text))
  it('of something that runs counts to now', () => expect(elapsed(new Date(now - 5000).toISOString(), undefined, now)).toBe(5000))
  it('of something that has not begun is nothing', () => expect(elapsed(null, null, now)).toBeUndefined())
})

describe('names', () => {
  it.each([['refs/heads/main', 'main'], ['refs/heads/feature/a', 'feature/a'], ['refs/tags/v1', 'tag v1'], ['refs/pull/12/merge', 'pull/12'], ['main', 'main']])('branch %s', (ref, text) => expect(branchName(ref)).toBe(text))
  it.each([['web', 'web'], ['team/web.release', 'team/web.release'], ['my web', "'my web'"], ["Ada's", "'Ada'\\''s'"], ['', "''"], ['$(id)', "'$(id)'"]])('in a command: %s', (name, word) => expect(shellWord(name)).toBe(word))
  it('a digest loses its algorithm', () => expect(short('sha256:9f2c41d8aa')).toBe('9f2c41d'))
  it.each([[0, '0 B'], [1023, '1023 B'], [1536, '1.5 KiB'], [3 * 1024 ** 3, '3.0 GiB']])('%d bytes', (count, text) => expect(bytes(count)).toBe(text))
  it('a time of another day names the day', () => expect(clock(now - 3 * 86_400_000, now)).toMatch(/^\w{3},? 18 Nov \d\d:\d\d$/))
})

describe('ansi', () => {
  const spans = (line: string) => parseAnsi(line).spans
  it('plain text is one span', () => expect(spans('hello')).toEqual([{ text: 'hello' }]))
  it('an empty line has none', () => expect(spans('')).toEqual([]))
  it('sets and resets a colour', () => expect(spans('a\x1b[31mb\x1b[0mc')).toEqual([{ text: 'a' }, { text: 'b', fg: '1' }, { text: 'c' }]))
  it('knows bright, 256 and true colours', () => expect(spans('\x1b[92ma\x1b[38;5;208mb\x1b[38;2;1;2;255mc').map((span) => span.fg)).toEqual(['10', '208', '#0102ff']))
  it('reads colon separated colours', () => expect(spans('\x1b[38:5:9ma')[0]?.fg).toBe('9'))
  it('combines attributes', () => expect(spans('\x1b[1;4;7mx')[0]).toMatchObject({ bold: true, underline: true, inverse: true }))
  it('a carriage return keeps the last state', () => expect(plainText('10%\r50%\r100%\r')).toBe('100%'))
  it('drops other escapes and controls', () => expect(plainText('\x1b[2Ka\x1b[1;1Hb\x1b]0;title\x07c\x08')).toBe('abc'))
  it('links only to http', () => {
    expect(spans('\x1b]8;;https://example.org\x1b\\x\x1b]8;;\x1b\\y')).toMatchObject([{ text: 'x', href: 'https://example.org' }, { text: 'y' }])
    expect(spans('\x1b]8;;javascript:alert(1)\x07x')[0]?.href).toBeUndefined()
  })
  it('carries a colour to the next line', () => expect(parseAnsi('b', parseAnsi('\x1b[32ma').carry).spans[0]?.fg).toBe('2'))
  it('survives a cut sequence', () => expect(spans('a\x1b[3')[0]?.text).toBe('a'))
  it('computes the cube and the greys', () => expect([paletteColour(16), paletteColour(231), paletteColour(232), paletteColour(208)]).toEqual(['#000000', '#ffffff', '#080808', '#ff8700']))
})

describe('states', () => {
  it.each([
    [{ status: 'notStarted' }, 'queued'], [{ status: 'inProgress', stages: [{ state: 'waiting' }, { state: 'completed' }] }, 'waiting'],
    [{ status: 'inProgress', stages: [{ state: 'waiting' }, { state: 'inProgress' }] }, 'running'], [{ status: 'cancelling' }, 'running'],
    [{ status: 'inProgress', stages: [{ state: 'queued' }, { state: 'pending' }] }, 'queued'], [{ status: 'inProgress', stages: [{ state: 'queued' }, { state: 'inProgress' }] }, 'running'],
    [{ status: 'inProgress', stages: [{ state: 'queued' }, { state: 'waiting' }] }, 'waiting'],
    [{ status: 'completed', result: 'partiallySucceeded' }, 'issues'], [{ status: 'completed' }, 'unknown'],
  ] as const)('run %j', (run, state) => expect(stateOfRun(run as unknown as Parameters<typeof stateOfRun>[0])).toBe(state))
  it('an open check is waiting, not running', () => expect(stateOfRecord({ type: 'Checkpoint.Approval', state: 'inProgress', result: null })).toBe('waiting'))
  it('a job that has not begun is queued, its steps are not', () => {
    expect(stateOfRecord({ type: 'Job', state: 'pending', result: null })).toBe('queued')
    expect(stateOfRecord({ type: 'Task', state: 'pending', result: null })).toBe('pending')
  })
  it('a lost worker leaves the state unknown', () => expect(stateOfRecord({ type: 'Job', state: 'completed', result: 'abandoned' })).toBe('unknown'))
  it('a deployment without a start is queued', () => expect(stateOfDeployment({})).toBe('queued'))
})

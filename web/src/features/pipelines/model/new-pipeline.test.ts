import { describe, expect, it } from 'vitest'
import { folderPath, folderText, pipelineFiles, suggestedName } from './new-pipeline'

describe('a new pipeline', () => {
  it('offers the usual file first, and only YAML', () => {
    expect(pipelineFiles(['/web/index.html', '/manifests/web.yml', '/web/azure-pipelines.yml', '/azure-pipelines.yml', '/azure-pipelines-nightly.yaml']))
      .toEqual(['/azure-pipelines-nightly.yaml', '/azure-pipelines.yml', '/web/azure-pipelines.yml', '/manifests/web.yml'])
  })
  it.each([['/azure-pipelines.yml', 'shop'], ['/web/azure-pipelines.yml', 'web'], ['/.azure/nightly.yml', 'nightly'], ['/pipelines/release.yaml', 'release'], ['/pipeline.yml', 'shop']])(
    '%s is called %s', (path, name) => expect(suggestedName(path, 'shop')).toBe(name))
  it.each([['', '\\', ''], ['a/b', '\\a\\b', 'a/b'], ['/a\\ b/', '\\a\\b', 'a/b']])('folder %s', (typed, path, shown) => {
    expect(folderPath(typed)).toBe(path)
    expect(folderText(path)).toBe(shown)
  })
})

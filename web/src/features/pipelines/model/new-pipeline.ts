/** Files that may be a pipeline: YAML, the usual names first, those deep in the tree last. */
export function pipelineFiles(paths: string[]): string[] {
  const rank = (path: string) => (/^\/azure-pipelines[^/]*$/.test(path) ? 0 : /azure-pipelines|pipeline/i.test(path) ? 1 : 2)
  return paths.filter((path) => /\.ya?ml$/i.test(path)).sort((a, b) => rank(a) - rank(b) || a.split('/').length - b.split('/').length || a.localeCompare(b))
}

/** A name for the pipeline of a file: the folder's, when it has one of its own, else the repository's. */
export function suggestedName(path: string, repository: string): string {
  const folders = path.split('/').slice(1, -1).filter((folder) => !/^(\.|pipelines?$|\.azure)/i.test(folder))
  const own = /\/([^/]+?)(?:\.azure-pipelines|-pipelines?)?\.ya?ml$/i.exec(path)?.[1] ?? ''
  if (folders.length > 0) return folders.at(-1) ?? repository
  return own === '' || /^azure-pipelines?$|^azure$|^pipelines?$/i.test(own) ? repository : own
}

/** "\a\b" as people write it, "a/b" or "/a/b", and back. */
export const folderText = (folder: string): string => folder.replaceAll('\\', '/').replace(/^\/+/, '')
export const folderPath = (text: string): string => `\\${text.split(/[\\/]+/).map((part) => part.trim()).filter((part) => part !== '').join('\\')}`

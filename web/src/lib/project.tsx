import { createContext, useContext } from 'react'

/** Name of the project that the page belongs to, as it stands in the address. */
export const ProjectContext = createContext<string | undefined>(undefined)

export function useProject(): string {
  const project = useContext(ProjectContext)
  if (project === undefined) throw new Error('this part of the page needs a project around it')
  return project
}

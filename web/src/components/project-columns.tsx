import { Link } from '@tanstack/react-router'
import type { Project } from '@/api/types'
import { TwoLines } from './cells'
import type { Column } from './data-table'

/** A project in a list: its row leads to its home. */
export const projectColumns: Column<Project>[] = [
  { header: 'Project', cell: (one) => <TwoLines top={<Link to="/$project" params={{ project: one.name }} className="row-link">{one.name}</Link>} below={one.description === '' ? undefined : one.description} title={one.name} /> },
]

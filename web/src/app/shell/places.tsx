import {
  Beaker20Regular, CheckmarkStarburst20Regular, Flow20Regular, Grid20Regular, Home20Regular, Library20Regular, PlayCircle20Regular, ServerMultiple20Regular, Settings20Regular,
  type FluentIcon,
} from '@fluentui/react-icons'

export interface Place {
  name: string
  to: '/$project' | '/$project/pipelines' | '/$project/runs' | '/$project/environments' | '/$project/approvals' | '/$project/tests' | '/$project/library' | '/$project/pools' | '/$project/settings'
  icon: FluentIcon
  /** Pressed after "g". */
  key: string
}

/** Where the rail, the palette and the shortcuts lead. */
export const places: Place[] = [
  { name: 'Home', to: '/$project', icon: Home20Regular, key: 'h' },
  { name: 'Pipelines', to: '/$project/pipelines', icon: Flow20Regular, key: 'p' },
  { name: 'Runs', to: '/$project/runs', icon: PlayCircle20Regular, key: 'r' },
  { name: 'Environments', to: '/$project/environments', icon: Grid20Regular, key: 'e' },
  { name: 'Approvals', to: '/$project/approvals', icon: CheckmarkStarburst20Regular, key: 'a' },
  { name: 'Tests', to: '/$project/tests', icon: Beaker20Regular, key: 't' },
  { name: 'Library', to: '/$project/library', icon: Library20Regular, key: 'l' },
  { name: 'Pools', to: '/$project/pools', icon: ServerMultiple20Regular, key: 'w' },
  { name: 'Settings', to: '/$project/settings', icon: Settings20Regular, key: 's' },
]


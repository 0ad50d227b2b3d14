import { Button, Menu, MenuItemCheckbox, MenuList, MenuPopover, MenuTrigger, SearchBox, Tooltip } from '@fluentui/react-components'
import {
  ArrowDown16Regular, ArrowDownload16Regular, ArrowUp16Regular, MoreHorizontal16Regular, ChevronDoubleDown16Regular,
} from '@fluentui/react-icons'
import type { Ref } from 'react'
import { plural } from '@/lib/format'
import { lineAsked, maxMatches, type Found } from '../model/search'
import styles from './log-view.module.css'

interface LogToolbarProps {
  title: string
  query: string
  onQuery: (query: string) => void
  searchRef: Ref<HTMLInputElement>
  found: Found
  at: number
  errors: number
  wholeLog: boolean
  onStep: (direction: 1 | -1) => void
  onError: (direction: 1 | -1) => void
  wrap: boolean
  times: string
  follow: boolean
  live: boolean
  onOptions: (options: { wrap?: boolean; times?: string; follow?: boolean }) => void
  download: string
}

/** Search, the way from error to error, and how lines are shown. */
export function LogToolbar(props: LogToolbarProps) {
  const { found, query } = props
  const searching = query !== ''
  const noWay = searching ? found.lines.length === 0 && lineAsked(query) === undefined : props.errors === 0
  return (
    <div className={styles.toolbar}>
      <h2 className={styles.title} title={props.title}>{props.title}</h2>
      <span className={styles.found} role="status">{status(props)}</span>
      <SearchBox
        ref={props.searchRef} size="small" className={styles.search} placeholder="Search, /regex/ or :line" aria-label="Search this log" value={query}
        onChange={(_, data) => props.onQuery(data.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') props.onStep(event.shiftKey ? -1 : 1)
          if (event.key === 'Escape') props.onQuery('')
        }}
      />
      <Tooltip content={searching ? 'Previous match' : 'Previous error'} relationship="label">
        <Button
          size="small" appearance="subtle" icon={<ArrowUp16Regular />} disabled={noWay}
          onClick={() => (searching ? props.onStep(-1) : props.onError(-1))}
        />
      </Tooltip>
      <Tooltip content={searching ? 'Next match' : 'Next error'} relationship="label">
        <Button
          size="small" appearance="subtle" icon={<ArrowDown16Regular />} disabled={noWay}
          onClick={() => (searching ? props.onStep(1) : props.onError(1))}
        />
      </Tooltip>
      {props.live && (
        <Tooltip content="Stays at the end while lines come" relationship="description">
          <Button
            size="small" appearance={props.follow ? 'secondary' : 'subtle'} aria-pressed={props.follow} icon={<ChevronDoubleDown16Regular />}
            onClick={() => props.onOptions({ follow: !props.follow })}
          >
            Follow
          </Button>
        </Tooltip>
      )}
      <Tooltip content="Save the whole log" relationship="label">
        <Button as="a" size="small" appearance="subtle" icon={<ArrowDownload16Regular />} href={props.download} download />
      </Tooltip>
      <Menu
        checkedValues={{ show: [...(props.wrap ? ['wrap'] : []), ...(props.times !== 'off' ? ['times'] : [])] }}
        onCheckedValueChange={(_, { checkedItems }) =>
          props.onOptions({ wrap: checkedItems.includes('wrap'), times: checkedItems.includes('times') ? 'on' : 'off' })}
      >
        <MenuTrigger disableButtonEnhancement>
          <Tooltip content="How lines are shown" relationship="label">
            <Button size="small" appearance="subtle" icon={<MoreHorizontal16Regular />} />
          </Tooltip>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItemCheckbox name="show" value="wrap">Wrap long lines</MenuItemCheckbox>
            <MenuItemCheckbox name="show" value="times">Show times</MenuItemCheckbox>
          </MenuList>
        </MenuPopover>
      </Menu>
    </div>
  )
}

function status({ found, query, at, errors, wholeLog }: LogToolbarProps): string {
  if (found.problem !== undefined) return 'Not a valid pattern'
  if (query === '') return errors === 0 ? '' : plural(errors, 'error')
  const asked = lineAsked(query)
  if (asked !== undefined) return `Enter: line ${asked}`
  if (query.startsWith(':')) return ''
  const count = found.lines.length >= maxMatches ? `${maxMatches}+` : String(found.lines.length)
  const place = at >= 0 ? `${at + 1}/${count}` : found.lines.length === 0 ? 'No match' : `${count} found`
  return wholeLog ? place : `${place} so far`
}

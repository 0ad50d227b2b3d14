import { Tab, TabList } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { poolsQuery } from '@/features/pools/api/pools'
import { projectsQuery } from '@/features/session/api/session'
import { aboutQuery } from '@/features/settings/api/settings'
import { Images } from '@/features/settings/components/images'
import { People } from '@/features/settings/components/people'
import { Projects } from '@/features/settings/components/projects'
import { Retention } from '@/features/settings/components/retention'
import { Tokens } from '@/features/settings/components/tokens'
import { meQuery } from '@/lib/me'
import { useProject } from '@/lib/project'
import { useScrolledTab } from '@/lib/scrolled-tab'
import styles from './settings-route.module.css'

const tabs = { tokens: 'Tokens', people: 'People', projects: 'Projects', images: 'Images', retention: 'Retention', about: 'About' } as const
type TabName = keyof typeof tabs

/** What belongs to the reader, to the project and to the server. */
export function SettingsRoute() {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/settings' })
  const { tab } = useSearch({ from: '/$project/settings' })
  const me = useQuery(meQuery)
  const projects = useQuery(projectsQuery)
  const pools = useQuery(poolsQuery)
  const about = useQuery({ ...aboutQuery, enabled: tab === 'about' })
  const shown: TabName = tab !== undefined && tab in tabs ? tab as TabName : 'tokens'
  const tabList = useScrolledTab(shown)
  const admin = me.data?.isAdmin ?? false
  return (
    <Page title="Settings" sentence={me.data === undefined ? undefined : `Signed in as ${me.data.displayName}${admin ? ', who may change everything on this server.' : '; what belongs to the server is changed by administrators.'}`}>
      <TabList ref={tabList} className={styles.tabs} selectedValue={shown} onTabSelect={(_, { value }) => void navigate({ search: { tab: value === 'tokens' ? undefined : String(value) }, replace: true })}>
        {Object.entries(tabs).map(([name, label]) => <Tab key={name} value={name}>{label}</Tab>)}
      </TabList>
      {shown === 'tokens' && <QueryView query={me} doing="see who you are">{(data) => <Tokens me={data} />}</QueryView>}
      {shown === 'people' && <People admin={admin} />}
      {shown === 'projects' && <QueryView query={projects} doing="list the projects">{({ value }) => <Projects projects={value} admin={admin} />}</QueryView>}
      {shown === 'images' && <QueryView query={pools} doing="list the pools">{({ value }) => <Images pools={value} admin={admin} />}</QueryView>}
      {shown === 'retention' && <Retention admin={admin} />}
      {shown === 'about' && (
        <Section title="About">
          <dl className={styles.facts}>
            <div><dt>Version</dt><dd>Slipway {about.data?.version ?? ''}</dd></div>
            <div><dt>Address</dt><dd><code>{window.location.origin}/</code></dd></div>
            <div><dt>Project</dt><dd><code>{window.location.origin}/{encodeURIComponent(project)}</code></dd></div>
            <div><dt>API</dt><dd>The shapes of Azure DevOps: clients take the address above as their organization, and a <button type="button" className={styles.link} onClick={() => void navigate({ search: {}, replace: true })}>token</button> as password.</dd></div>
            <div><dt>Monitoring</dt><dd><code>/healthz</code>, <code>/readyz</code>, <code>/metrics</code> (Prometheus)</dd></div>
          </dl>
        </Section>
      )}
    </Page>
  )
}

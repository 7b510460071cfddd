package tenancy

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// Project is a CloudStack project. It has no row: whoever reads the databases meets its account only. Account is its
// own, which owns its resources and is billed for them; Owner is the account that administers it.
type Project struct {
	ID             int64
	UUID           string
	Name, Text     string
	Account, Owner *Account
	State          string // Active, Disabled
	Created        time.Time
	Removed        time.Time
}

// everyProject is the id by which lists show what belongs to projects besides what belongs to accounts.
const everyProject = "-1"

func projectCommands() []command {
	return []command{
		{
			Name: "createProject", About: "Creates a project", Class: kernel.UserClasses + "project.CreateProjectCmd",
			Kind: kernel.AsyncCreate, Instance: "None", Event: "PROJECT.CREATE",
			Eventful: kernel.EventCreateAsync, Action: "creating project",
			Params: []param{{Name: "name", Type: "string", Required: true, About: "Name of the project"},
				{Name: "displaytext", Type: "string", About: "The display text of the project, " +
					"defaults to the 'name'."},
				{Name: "account", Type: "string", About: "Account who will be Admin for the project"},
				{Name: "domainid", Type: "uuid:domain", About: "Domain ID of the Account owning a project"}},
			Create: createProject,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				return obj{"project": mgr.projectAnswer(mgr.ProjectByUUID(c.Target.UUID))}, nil
			},
			Describe: func(*Manager, *kernel.Call) string { return "creating project" },
		},
		{
			Name: "listProjects", About: "Lists projects and provides detailed information for listed projects",
			Params: kernel.ListParams(param{Name: "id", Type: "uuid:project", About: "list projects by project ID"},
				param{Name: "name", Type: "string", About: "list projects by name"},
				param{Name: "displaytext", Type: "string", About: "list projects by display text"},
				param{Name: "state", Type: "string", About: "list projects by state"}),
			Run: listProjects,
		},
		{
			Name: "deleteProject", About: "Deletes a project", Class: kernel.UserClasses + "project.DeleteProjectCmd",
			Kind: kernel.AsyncCommand, Instance: "None", Event: "PROJECT.DELETE", Eventful: kernel.EventAsync,
			Action: "deleting project",
			Params: []param{{Name: "id", Type: "uuid:project", Required: true, About: "id of the project to be " +
				"deleted"},
				{Name: "cleanup", Type: "boolean", About: "true if all project resources have to be cleaned up, " +
					"false otherwise"}},
			Check: checkProject, Run: deleteProject,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Deleting project: %d", mgr.ProjectByUUID(c.Str("id")).ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Project Id: %d", mgr.ProjectByUUID(c.Str("id")).ID)
			},
		},
	}
}

// ProjectByUUID finds the project with a uuid, removed ones included; nil for none.
func (mgr *Manager) ProjectByUUID(u string) *Project {
	p, _ := kernel.Find(mgr.Projects, u, func(p *Project) string { return p.UUID })
	return p
}

// acts says whether an account may do what another one may: it is that one, or administers its project.
func acts(a, owner *Account) bool {
	return a == owner || owner.Project != nil && owner.Project.Owner == a
}

// createProject gives a project an account of its own (ProjectManagerImpl.java@4.20.0.0).
func createProject(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	owner, err := OwnerAccount(mgr, c)
	if err != nil {
		return kernel.Created{}, err
	}
	name := c.Str("name")
	for _, p := range mgr.Projects {
		if p.Removed.IsZero() && p.Name == name && p.Account.Domain == owner.Domain {
			return kernel.Created{}, api.Invalid("Project with name %s already exists in domain id=%d", name,
				owner.Domain.ID)
		}
	}
	a := &Account{UUID: mgr.UUID(), Name: fmt.Sprintf("PrjAcct-%s-%d", name, owner.Domain.ID), Type: ProjectAccount,
		Domain: owner.Domain, State: "enabled", Created: mgr.Now()}
	if err := mgr.InsertAccount(c.Ctx, a, nil); err != nil {
		return kernel.Created{}, err
	}
	mgr.Accounts.Add(a)
	p := &Project{UUID: mgr.UUID(), Name: name, Text: c.Str("displaytext"), Account: a, Owner: owner, State: "Active",
		Created: mgr.Now()}
	if p.Text == "" {
		p.Text = name
	}
	p.ID = mgr.NextID("cloud.projects")
	a.Project = p
	mgr.Projects = append(mgr.Projects, p)
	c.Owner, c.EventResource, c.EventResourceType = owner, p.ID, "Project"
	return kernel.Created{UUID: p.UUID, ID: p.ID}, nil
}

func (mgr *Manager) projectAnswer(p *Project) obj {
	out := obj{"id": p.UUID, "name": p.Name, "displaytext": p.Text, "state": p.State,
		"domainid": p.Account.Domain.UUID, "domain": p.Account.Domain.Name, "created": kernel.Stamp(p.Created),
		"owner": []obj{{"account": p.Owner.Name}}, "projectaccountname": p.Account.Name, "tags": []obj{}}
	mgr.limitFields(out, p.Account, nil)
	return out
}

func listProjects(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, p := range mgr.Projects {
		if !p.Removed.IsZero() || !Visible(mgr, c, p.Owner) || c.Has("id") && c.Str("id") != p.UUID ||
			c.Differs("name", p.Name) || c.Differs("displaytext", p.Text) || c.Differs("state", p.State) ||
			!kernel.Matches(c.Str("keyword"), p.Name) {
			continue
		}
		out = append(out, mgr.projectAnswer(p))
	}
	return c.Page("project", out), nil
}

func checkProject(mgr *Manager, c *kernel.Call) error {
	p := mgr.ProjectByUUID(c.Str("id"))
	if !p.Removed.IsZero() {
		return api.Invalid("Unable to find project by id %d", p.ID)
	}
	c.Owner, c.EventResource, c.EventResourceType = p.Owner, p.ID, "Project"
	return MayUse(mgr, c, p.Owner, "Project")
}

func deleteProject(mgr *Manager, c *kernel.Call) (obj, error) {
	p := mgr.ProjectByUUID(c.Str("id"))
	if what := mgr.Hooks.Owns(p.Account); what != "" && !c.Boolean("cleanup", false) {
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSCloudRuntime,
			Text: fmt.Sprintf("Can't delete the project yet because it has %s to clean up", what)}
	}
	return obj{"success": true}, mgr.removeProject(c.Ctx, p)
}

// removeProject removes a project with its account and all that it owns.
func (mgr *Manager) removeProject(ctx context.Context, p *Project) error {
	if err := mgr.Hooks.Remove(ctx, p.Account); err != nil {
		return err
	}
	p.Removed, p.State = mgr.Now(), "Disabled"
	return nil
}

// managed are the ids of the projects that an account administers.
func (mgr *Manager) managed(a *Account) (ids []int64) {
	for _, p := range mgr.Projects {
		if p.Owner == a && p.Removed.IsZero() {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

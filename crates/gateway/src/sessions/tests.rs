//! Sessions and what stands for stateless clients, in memory: nobody is met.

use super::*;
use crate::route::Route;

const REVISION: Revision = Revision::V2026_07_28;

/// The routes of a gateway with one server; built anew, it is another server of the same name.
fn routes() -> HashMap<Arc<str>, Arc<Route>> {
    let text = "version: 1\nlisteners: [{ address: '127.0.0.1:0' }]\n\
         issuers: [{ issuer: 'https://id.example.com' }]\n\
         servers: [{ name: s, http: { url: 'https://mcp.example.com/mcp' } }]\n\
         routes: [{ path: /one, server: s }, { path: /two, server: s }]\n";
    let (settled, _) = config::load(text).unwrap();
    crate::house::routes_of(settled).unwrap()
}

fn session(route: &Route, id: &str, revision: Revision, now_ms: u64) -> Session {
    let user: Arc<str> = "user".into();
    let owner = Owner {
        user: Arc::clone(&user),
        client: None,
        route: (&*route.path).into(),
        session: id.into(),
    };
    let introduction = Introduction {
        revision,
        capabilities: None,
        info: None,
    };
    let binding = Binding {
        user,
        issuer: "https://id.example.com".into(),
        subject: "user".into(),
        client: None,
        holder: None,
        route: (&*route.path).into(),
        revision,
        lifetime: Lifetime {
            idle_ms: 1000,
            absolute_ms: 5000,
            per_user: 2,
        },
        links: Links::new(owner, introduction, route.floor, &route.servers),
        standing: Standing::of(&identity::Caller::local("user")),
    };
    Session::new(id.to_owned(), binding, now_ms)
}

#[tokio::test]
async fn n8_2_what_was_made_for_other_servers_is_replaced_and_ended() {
    let (before, after) = (routes(), routes());
    let sessions = Sessions::default();
    let open = |route: &Route| sessions.open(session(route, "x", REVISION, 0), 0).unwrap();
    let first = open(&before["/one"]);
    // Two requests at once use what the first one made.
    assert!(Arc::ptr_eq(&first, &open(&before["/one"])));
    let second = open(&after["/one"]);
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(second.is_of(&after["/one"].servers) && !second.is_of(&before["/one"].servers));
    first.over().await;
    assert!(first.links().far(0).await.is_err());
    assert_eq!(sessions.len(), 1);
}

#[tokio::test]
async fn n8_3_one_whose_time_has_come_is_ended_when_another_takes_its_name() {
    let routes = routes();
    let sessions = Sessions::default();
    let first = sessions.open(session(&routes["/one"], "x", REVISION, 0), 0);
    let second = sessions.open(session(&routes["/one"], "x", REVISION, 6000), 6000);
    first.unwrap().over().await;
    assert!(!second.unwrap().is_over(6000));
    assert_eq!(sessions.len(), 1);
}

#[tokio::test]
async fn n8_3_a_user_holds_so_many_on_each_route_and_the_idlest_makes_room() {
    let routes = routes();
    let sessions = Sessions::default();
    let open = |route: &str, id: &str, now| {
        let opened = sessions.open(session(&routes[route], id, REVISION, now), now);
        opened.map_err(|(_, full)| full)
    };
    let first = open("/one", "a", 0).unwrap();
    drop(open("/one", "b", 1).unwrap());
    assert_eq!(open("/one", "c", 2).unwrap_err(), Full::User);
    open("/two", "c", 2).unwrap();
    // What any request holds is not idle, however long ago it was used.
    assert_eq!(sessions.idlest("user", "/one").unwrap().id(), "b");
    drop(first);
    let idlest = sessions.idlest("user", "/one").unwrap();
    assert_eq!(idlest.id(), "a");
    sessions.end(&idlest).await;
    assert!(open("/one", "c", 3).is_ok());
}

//! `/owner`: what is the owner's alone, behind a login.

use reqwest::{Client, RequestBuilder, Response, header, redirect::Policy};
use tests::{
    keeper::{COMPONENT, Keeper, TOKEN},
    notices::{Reply, Service},
    process::own_address,
};
use url::form_urlencoded;

use super::keeper::{failing, until};

fn client() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client")
}

/// As a browser sends it from the keeper's own page.
async fn from_here(request: RequestBuilder, keeper: &Keeper) -> Response {
    request.header(header::ORIGIN, &keeper.url).send().await.expect("an answer")
}

trait Form {
    fn form(self, fields: &[(&str, &str)]) -> Self;
}

impl Form for RequestBuilder {
    fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
    }
}

fn location(answer: &Response) -> &str {
    answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn the_owner_logs_in_sees_what_was_not_taken_mutes_it_and_logs_out() {
    let refusing = Service::start(|_, _| Reply::text(404, "no such hook")).await;
    let url = format!("json+http://{}/pathSecret", refusing.host());
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", &url);
    })
    .await;
    failing(&keeper).await;
    until("it is refused", || !refusing.posted().is_empty()).await;
    let (http, at) = (client(), |path: &str| format!("{}{path}", keeper.url));

    let answer = http.get(at("/owner")).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/login"));
    let answer = from_here(http.post(at("/login")).form(&[("token", TOKEN)]), &keeper).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/owner"));
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let session = cookie.split(';').next().expect("a cookie").to_owned();
    let with = |request: RequestBuilder| request.header(header::COOKIE, format!("other=1; {session}"));

    let answer = with(http.get(at("/owner"))).send().await.expect("an answer");
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let page = answer.text().await.expect("text");
    assert!(
        page.contains("The job dns fails") && page.contains("status 404") && !page.contains("pathSecret"),
        "{page}"
    );

    let answer =
        from_here(with(http.post(at("/owner/mute")).form(&[("key", "Home internet"), ("hours", "3")])), &keeper).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/owner"));
    let page = with(http.get(at("/owner"))).send().await.expect("an answer").text().await.expect("text");
    assert!(page.contains(&format!("home/{COMPONENT}, until ")), "{page}");
    for (key, hours, expected) in
        [("garage", "3", "is no component of the page"), ("job", "soon", "whole number of hours")]
    {
        let answer =
            from_here(with(http.post(at("/owner/mute")).form(&[("key", key), ("hours", hours)])), &keeper).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().await.expect("text").contains(expected), "{key}");
    }
    let key = format!("home/{COMPONENT}");
    let answer = from_here(with(http.post(at("/owner/unmute")).form(&[("key", key.as_str())])), &keeper).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/owner"));

    let answer = from_here(with(http.post(at("/logout"))), &keeper).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/login"));
    let answer = with(http.get(at("/owner"))).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/login"), "the session is over");
}

#[tokio::test]
async fn who_guesses_or_comes_from_elsewhere_is_turned_away_and_the_public_listener_has_none_of_it() {
    let mut keeper = Keeper::start_with(|command| {
        command.env("KEEPER_PUBLIC_ADDR", format!("{}:0", own_address()));
    })
    .await;
    let public = keeper.process.wait_for("the public listener", |lines| {
        let line = lines.iter().find(|line| line.contains("public listener"))?;
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(format!("http://{}", line["address"].as_str()?))
    });
    let (public, http) = (public.await, client());
    let login = format!("{}/login", keeper.url);
    for path in ["/login", "/owner", "/logout", "/owner/mute"] {
        let answer = http.get(format!("{public}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
    let right = || http.post(&login).form(&[("token", TOKEN)]);
    for origin in [None, Some("null"), Some("http://evil.example"), Some("http://evil.example@127.0.0.1")] {
        let request = origin.into_iter().fold(right(), |request, origin| request.header(header::ORIGIN, origin));
        let answer = request.send().await.expect("an answer");
        assert!(answer.status() == 403 && !answer.headers().contains_key(header::SET_COOKIE), "{origin:?}");
    }
    for site in ["cross-site", "same-site", "none"] {
        let answer = right().header(header::ORIGIN, &keeper.url).header("Sec-Fetch-Site", site).send().await;
        assert_eq!(answer.expect("an answer").status(), 403, "{site}");
    }
    // Behind a proxy that speaks TLS, which passes the host on, or has a name of its own for us.
    for (host, site) in [("Home.Example:443", None), ("127.0.0.1:8030", Some("same-origin"))] {
        let request = right().header(header::ORIGIN, "https://home.example").header(header::HOST, host);
        let answer =
            site.into_iter().fold(request, |request, site| request.header("Sec-Fetch-Site", site)).send().await;
        let answer = answer.expect("an answer");
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        assert!(
            answer.status() == 303 && cookie.is_some_and(|cookie| cookie.ends_with("; Secure")),
            "{host} {cookie:?}"
        );
    }
    let answer = http.post(format!("{login}?token={TOKEN}")).header(header::ORIGIN, &keeper.url).send().await;
    assert_eq!(answer.expect("an answer").status(), 403, "a token in an address opens nothing");
    for _ in 0..4 {
        let answer = from_here(http.post(&login).form(&[("token", "a guess")]), &keeper).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().await.expect("text").contains("not the keeper&#39;s token"));
    }
    let answer = from_here(right(), &keeper).await;
    assert_eq!(answer.status(), 429, "even who has it waits for a minute");
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    let long = "x".repeat(10_000);
    assert_eq!(from_here(http.post(&login).form(&[("token", &long)]), &keeper).await.status(), 413);
    let answer = http.get(format!("{}/owner", keeper.url)).header(header::COOKIE, "porchlight_session=").send().await;
    assert_eq!(answer.expect("an answer").status(), 303);
    let text = keeper.process.lines().join("\n");
    assert!(text.contains("with a wrong token") && !text.contains("a guess"), "{text}");
}

"""The room of invitations: sent with what is offered, sent again, taken back, and answered."""

from scim_bridge.identity import hand_groups, invitations, member_profiles, roles
from tests.console.letters import secret_of
from tests.console.world import Console
from tests.identity.signing_in import TERMINAL

INVITATIONS = "/console/acme/invitations"


def test_somebody_is_invited_with_roles_and_groups_and_comes_in(console: Console) -> None:
    group = hand_groups.create(console.database, TERMINAL, "acme", "Guests", None)
    browser, guest = console.owner(), console.browser()

    sent = browser.post(
        INVITATIONS + "/new",
        {"email": "zoe@partner.example", "api_role": "viewer", "kubernetes_role": "view", "groups": group.id},
    )
    shown = browser.get(sent.headers["Location"]).text
    secret = secret_of(console, "zoe@partner.example")
    guest.get(f"/invitations/{secret}")
    guest.post(f"/invitations/{secret}/accept", {"display_name": "Zoë Martin"})
    answered = browser.get(sent.headers["Location"]).text

    assert "zoe@partner.example is invited" in shown
    assert ("Guests" in shown, "pending" in shown) == (True, True)
    assert "Look at their profile" in answered
    profile = member_profiles.show(console.database, "acme", "zoe@partner.example")
    assert profile.access.api_roles == ("viewer",)
    assert [each.group for each in profile.groups] == ["Guests"]


def test_many_are_invited_and_each_line_says_what_became_of_it(console: Console) -> None:
    ana = console.person("ana").email

    answer = console.owner().post(INVITATIONS + "/new", {"email": f"a@x.example\n{ana}\nnobody", "api_role": "viewer"})

    assert answer.status_code == 200
    assert "1 of 3 are invited" in answer.text
    assert f"{ana} is a member already" in answer.text
    assert len(invitations.list_page(console.database, "acme").invitations) == 1


def test_mistakes_are_marked_where_they_are(console: Console) -> None:
    browser = console.owner()

    answers = [
        browser.post(INVITATIONS + "/new", {"email": "nobody"}),
        browser.post(INVITATIONS + "/new", {"email": "a@x.example", "api_role": "emperor"}),
        browser.post(INVITATIONS + "/new", {"email": "a@x.example", "kubernetes_role": "root"}),
    ]

    assert [each.status_code for each in answers] == [422, 422, 422]
    assert 'aria-describedby="email-wrong"' in answers[0].text
    assert 'aria-describedby="api_role-wrong"' in answers[1].text
    assert 'aria-describedby="kubernetes_role-wrong"' in answers[2].text
    assert invitations.list_page(console.database, "acme").invitations == ()


def test_nobody_offers_what_they_do_not_hold(console: Console) -> None:
    roles.put(console.database, TERMINAL, "acme", "host", ["members:read", "members:invite", "invitations:manage"])
    browser = console.browser(console.person("hal", "host"))
    browser.get("/console/acme")

    answer = browser.post(INVITATIONS + "/new", {"email": "a@x.example", "api_role": "admin"})

    assert answer.status_code == 422
    assert invitations.list_page(console.database, "acme").invitations == ()


def test_an_invitation_is_sent_again_and_taken_back_and_its_links_open_nothing(console: Console) -> None:
    browser = console.owner()
    path = browser.post(INVITATIONS + "/new", {"email": "zoe@partner.example"}).headers["Location"]
    first = secret_of(console, "zoe@partner.example")

    browser.post(path + "/resend")
    sent = browser.get(path).text
    second = secret_of(console, "zoe@partner.example")
    asked = browser.get(path + "/withdraw").text
    before = browser.get(f"/invitations/{second}").status_code
    back = browser.post(path + "/withdraw")

    assert "the link of before opens nothing any more" in sent
    assert first != second
    assert "nothing that was offered is given" in asked
    assert before == 200
    assert "is taken back" in browser.get(back.headers["Location"]).text
    assert [browser.get(f"/invitations/{each}").status_code for each in (first, second)] == [404, 409]
    assert browser.post(path + "/resend").status_code == 409

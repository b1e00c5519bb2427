"""The people of the benchmark: documents of about 1 kB, as an identity provider sends them."""

from typing import Any

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def user_name(number: int | str) -> str:
    """Return what a person signs in with."""
    return f"person.{number}@example.com"


def user(number: int | str) -> dict[str, Any]:
    """Return a person as the body of a POST."""
    name = user_name(number)
    return {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "userName": name,
        "externalId": f"external-{number}",
        "active": True,
        "displayName": f"Ada Person {number}",
        "title": "Principal Engineer",
        "preferredLanguage": "en-GB",
        "timezone": "Europe/London",
        "name": {"givenName": "Ada", "familyName": f"Person {number}", "formatted": f"Ada Person {number}"},
        "emails": [
            {"value": name, "type": "work", "primary": True},
            {"value": f"private.{number}@mail.example.org", "type": "home"},
        ],
        "phoneNumbers": [{"value": "+44 20 7946 0000", "type": "work"}],
        "addresses": [
            {
                "type": "work",
                "streetAddress": "12 Analytical Row",
                "locality": "London",
                "postalCode": "W1 1AA",
                "country": "GB",
            },
            {
                "type": "home",
                "streetAddress": "7 Difference Lane",
                "locality": "Cambridge",
                "postalCode": "CB1 1AA",
                "country": "GB",
            },
        ],
        "profileUrl": f"https://people.example.com/profiles/{number}",
        "photos": [{"value": f"https://people.example.com/photos/{number}.jpg", "type": "photo"}],
        ENTERPRISE_URN: {"employeeNumber": f"{number}", "department": "Engines", "costCenter": "4130"},
    }

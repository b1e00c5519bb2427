"""What the people and groups of a simulated company are called."""

GIVEN_NAMES = (
    *("Ada", "Amir", "Ana", "Anders", "Aiko", "Beatriz", "Björn", "Carla", "Chidi", "Clara", "Dmitri", "Elif", "Emeka"),
    *("Eva", "Fatima", "Finn", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "José", "Kaveh", "Klára", "Lars"),
    *("Leila", "Lina", "Mateo", "Mei", "Mila", "Nadia", "Niko", "Noor", "Olga", "Omar", "Petra", "Priya", "Quentin"),
    *("Ravi", "Rosa", "Samir", "Sanna", "Selin", "Tariq", "Tess", "Uma", "Viktor", "Wanda", "Yara", "Yusuf", "Zoë"),
)
FAMILY_NAMES = (
    *("Abara", "Almeida", "Andersson", "Bauer", "Bianchi", "Castro", "Chen", "Costa", "Dahl", "Demir", "Dubois"),
    *("Eriksen", "Farouk", "Fischer", "García", "Haddad", "Hoang", "Ibrahim", "Ito", "Jansen", "Jovanović", "Kaya"),
    *("Keller", "Khan", "Kim", "Kovács", "Lindqvist", "Lopez", "Maier", "Mensah", "Moreau", "Müller", "Nakamura"),
    *("Novák", "O'Neill", "Okafor", "Oliveira", "Petrov", "Popescu", "Rahman", "Reyes", "Rossi", "Sato", "Schmidt"),
    *("Silva", "Singh", "Suzuki", "Tanaka", "Torres", "Van Dijk", "Weber", "Yilmaz", "Zeman", "Zhou"),
)
DEPARTMENTS = (
    "Platform",
    "Payments",
    "Identity",
    "Data",
    "Mobile",
    "Search",
    "Support",
    "Security",
    "Finance",
    "Sales",
)
TITLES = ("Engineer", "Senior Engineer", "Analyst", "Team Lead", "Site Reliability Engineer", "Product Owner")
GROUP_ROLES = ("developers", "operators", "viewers", "admins")

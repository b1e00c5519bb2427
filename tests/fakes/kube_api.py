class FakeKubeApi:
    pass

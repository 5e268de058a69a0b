"""The bare network: every request is answered before the timing ends, however many are in flight."""

import numpy as np

from training.benchmarks.raw_network import raw_period_ms


class CountingNetwork:
    """A compiled network that notes what its requests are asked, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []
        self.request_count = 0

    def create_infer_request(self) -> "CountingRequest":
        self.request_count += 1
        return CountingRequest(self, self.request_count)


class CountingRequest:
    def __init__(self, network: CountingNetwork, number: int) -> None:
        self._network = network
        self._number = number

    def set_input_tensor(self, tensor: object) -> None:
        assert tensor is not None

    def start_async(self) -> None:
        self._network.asked.append((self._number, "start"))

    def wait(self) -> None:
        self._network.asked.append((self._number, "wait"))


def test_requests_take_turns_and_none_is_left_running() -> None:
    network = CountingNetwork()
    assert raw_period_ms(network, np.zeros((1, 2, 2, 3), np.uint8), 4) >= 0.0
    assert network.request_count == 3, "one in flight, then two"
    for number in (1, 2, 3):
        words = [word for who, word in network.asked if who == number]
        assert words == ["start", "wait"] * (len(words) // 2)
    single = [word for who, word in network.asked if who == 1]
    assert single.count("wait") == 1 + 4 + 1
    double = [who for who, word in network.asked if who in {2, 3} and word == "wait"]
    assert double == [2, 3] * (1 + 2 + 1)

"""A port that a stack has is nobody else's, whatever other programs on the machine do."""

import socket
import sys

import pytest

from reference.platform.port_lease import PortLease, handed_out_from

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere two sockets cannot share a port")


@pytest.fixture
def lease():
    held = PortLease()
    yield held
    held.release()


def test_no_second_lease_gets_the_port(lease: PortLease) -> None:
    with pytest.raises(OSError, match="in use"):
        PortLease(port=lease.port)


def test_the_server_it_is_for_listens_on_it_and_again_after_its_end(lease: PortLease) -> None:
    for _ in range(2):
        with socket.create_server(("127.0.0.1", lease.port)) as server:
            caller = socket.create_connection(("127.0.0.1", lease.port))
            accepted, _address = server.accept()
            accepted.close()
            caller.close()


def test_nobody_is_answered_while_no_server_listens(lease: PortLease) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", lease.port))


def test_it_is_none_of_those_that_programs_get_who_ask_for_any_close_it_and_open_it_again() -> None:
    leases = [PortLease() for _ in range(100)]
    try:
        assert len({lease.port for lease in leases}) == 100
        assert max(lease.port for lease in leases) < handed_out_from()
    finally:
        for lease in leases:
            lease.release()


def test_after_its_release_the_port_is_free(lease: PortLease) -> None:
    lease.release()
    PortLease(port=lease.port).release()

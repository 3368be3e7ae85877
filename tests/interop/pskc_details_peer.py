"""The details of keys as python-pskc has them: writes a batch with all of them, and shows those of
a batch.

    pskc_details_peer.py write FILE KEYHEX     a batch with every detail python-pskc knows
    pskc_details_peer.py read FILE KEYHEX      one line per key and fact, sorted
    pskc_details_peer.py ours                  the same lines from `trousseau inspect --json`
"""
import json
import sys
from datetime import datetime, timezone

from pskc import PSKC


def write(path, key):
    pskc = PSKC()
    for number in (1, 2):
        one = pskc.add_key(
            id=f'D{number}', serial=f'D{number}', secret=bytes(range(20)), counter=7,
            algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp', manufacturer='oath.ACME',
            model='K', issue_no='3', device_binding='IMEI 4901', device_userid='CN=device',
            crypto_module='CM-1', issuer='Issuer', key_profile='profile', friendly_name='Ma clé',
            key_userid='CN=ada', response_encoding='DECIMAL', response_length=8,
            challenge_encoding='DECIMAL', challenge_min_length=4, challenge_max_length=9,
            challenge_check=True)
        one.device.start_date = datetime(2026, 1, 2, tzinfo=timezone.utc)
        one.device.expiry_date = datetime(2036, 1, 2, tzinfo=timezone.utc)
        one.policy.start_date = datetime(2026, 9, 1, tzinfo=timezone.utc)
        one.policy.expiry_date = datetime(2031, 9, 1, tzinfo=timezone.utc)
        one.policy.number_of_transactions = 5000
        one.policy.key_usage = ['OTP', 'CR'] if number == 1 else ['Encrypt']
        one.policy.pin_key_id = 'P1'
        one.policy.pin_usage = one.policy.PIN_USE_PREPEND
        one.policy.pin_max_failed_attempts = 3
        one.policy.pin_min_length = 4
        one.policy.pin_max_length = 8
        one.policy.pin_encoding = 'DECIMAL'
    ocra = pskc.add_key(
        id='O1', serial='O1', secret=bytes(range(20)), counter=2, time_interval=30, time_drift=4,
        algorithm='urn:ietf:params:xml:ns:keyprov:pskc:ocra',
        algorithm_suite='OCRA-1:HOTP-SHA1-6:C-QN08', response_encoding='DECIMAL', response_length=6)
    assert ocra.algorithm
    pin = pskc.add_key(
        id='P1', serial='P1', secret=b'1234', algorithm='urn:ietf:params:xml:ns:keyprov:pskc:pin',
        response_encoding='DECIMAL', response_length=4)
    assert pin.algorithm
    pskc.add_key(id='R1', serial='R1', key_reference='a label', counter=1,
                 response_encoding='DECIMAL', response_length=6, algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp')
    pskc.encryption.setup_preshared_key(
        algorithm='aes128-cbc', key=bytes.fromhex(key), key_name='k')
    pskc.encryption.fields = ['secret', 'counter', 'time_drift']
    pskc.write(path)


def stamp(date):
    return date and date.astimezone(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def read(path, key):
    pskc = PSKC(path)
    pskc.encryption.key = bytes.fromhex(key)
    lines = []
    for one in pskc.keys:
        policy, device = one.policy, one.device
        facts = {
            'issue_number': device.issue_no, 'device_binding': device.device_binding,
            'device_start_date': stamp(device.start_date),
            'device_expiry_date': stamp(device.expiry_date), 'device_user': device.device_userid,
            'crypto_module': device.crypto_module, 'key_profile': one.key_profile,
            'key_reference': one.key_reference, 'friendly_name': one.friendly_name,
            'user': one.key_userid, 'start_date': stamp(policy.start_date),
            'expiry_date': stamp(policy.expiry_date), 'transactions': policy.number_of_transactions,
            'usages': ','.join(policy.key_usage), 'pin.key_id': policy.pin_key_id,
            'pin.usage': policy.pin_usage, 'pin.attempts': policy.pin_max_failed_attempts,
            'pin.min': policy.pin_min_length, 'pin.max': policy.pin_max_length,
            'pin.encoding': policy.pin_encoding, 'suite': one.algorithm_suite,
            'challenge.encoding': one.challenge_encoding, 'challenge.min': one.challenge_min_length,
            'challenge.max': one.challenge_max_length, 'challenge.check': one.challenge_check,
            'response.encoding': one.response_encoding, 'response.length': one.response_length,
            'response.check': one.response_check or None, 'counter': one.counter,
            'drift': one.time_drift, 'permits_otp': policy.may_use('OTP'),
            'secret': one.secret.hex() if one.secret else None,
        }
        lines += line(one.id, facts)
    print('\n'.join(sorted(lines)))


def line(key, facts):
    return [f'{key} {name} {value}' for name, value in facts.items() if value not in (None, '')]


def ours():
    lines = []
    for text in sys.stdin:
        key = json.loads(text)
        more = key.get('details', {})
        pin = more.get('pin_policy', {})
        challenge = more.get('challenge_format', {})
        other = key['algorithm'] not in ('hotp', 'totp')
        plain = {} if other else {'encoding': 'DECIMAL', 'length': key['digits']}
        response = {**plain, **{k: v for k, v in more.get('response_format', {}).items() if v}}
        usages = more.get('usages', [])
        now = datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        in_time = (key['start_date'] or '') <= now <= (key['expiry_date'] or '9')
        facts = {
            **{name: more.get(name) for name in (
                'issue_number', 'device_binding', 'device_start_date', 'device_expiry_date',
                'device_user', 'crypto_module', 'key_profile', 'key_reference', 'friendly_name',
                'transactions', 'suite')},
            **{name: key[name] for name in ('user', 'start_date', 'expiry_date')},
            'usages': ','.join(usages), 'pin.key_id': pin.get('key_id'),
            'pin.usage': pin.get('usage'), 'pin.attempts': pin.get('max_failed_attempts'),
            'pin.min': pin.get('min_length'), 'pin.max': pin.get('max_length'),
            'pin.encoding': pin.get('encoding'), 'challenge.encoding': challenge.get('encoding'),
            'challenge.min': challenge.get('min'), 'challenge.max': challenge.get('max'),
            'challenge.check': challenge.get('check_digits'),
            'response.encoding': response.get('encoding'),
            'response.length': response.get('length'),
            'response.check': response.get('check_digits') or None,
            'counter': more.get('further_counter') if other else key['counter'],
            'drift': more.get('time_drift'),
            'permits_otp': in_time and 'not_understood' not in more and (
                not usages or 'OTP' in usages),
            'secret': key.get('secret'),
        }
        lines += line(key['key_id'], facts)
    print('\n'.join(sorted(lines)))


if __name__ == '__main__':
    {'write': write, 'read': read, 'ours': ours}[sys.argv[1]](*sys.argv[2:])

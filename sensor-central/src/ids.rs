//! Ids as the public API tells them: lower-case UUIDs of the versions 1 to 5, because clients know no other.

use uuid::Uuid;

/// Made for this purpose, and for no other.
const ALERTS: Uuid = Uuid::from_u128(0x5b0c_5a27_1f0e_4d0b_9f0e_6a1c_3f7e_2d41);
const SENSORS: Uuid = Uuid::from_u128(0x0c8e_2f6b_7d43_4a55_8a1b_b0d9_4e6f_9c12);
const EVENTS: Uuid = Uuid::from_u128(0xd3a1_70c4_9b2e_4f86_b5d7_21e8_0a64_c7f3);

/// Of an alert, by the uuid that its sensor gave it, which may be of a newer version.
#[must_use]
pub fn of_alert(uuid: Uuid) -> Uuid {
    Uuid::new_v5(&ALERTS, uuid.as_bytes())
}

/// Of an endpoint: the id of its sensor, if that is one that clients know.
#[must_use]
pub fn of_endpoint(sensor: &str) -> Uuid {
    match Uuid::parse_str(sensor) {
        Ok(id) if (1..=5).contains(&id.get_version_num()) => id,
        _ => Uuid::new_v5(&SENSORS, sensor.as_bytes()),
    }
}

/// Of endpoints, of which one often follows itself: making it takes as long as a good part of an item.
#[derive(Debug, Default)]
pub struct Endpoints<'a>(Option<(&'a str, Uuid)>);

impl<'a> Endpoints<'a> {
    /// As [`of_endpoint`].
    pub fn of(&mut self, sensor: &'a str) -> Uuid {
        match self.0 {
            Some((last, id)) if last == sensor => id,
            _ => self.0.insert((sensor, of_endpoint(sensor))).1,
        }
    }
}

/// Of an event: where its row stands, and when it came there. A row number may be given again once all rows are gone.
#[must_use]
pub fn of_event(tenant: Uuid, row: i64, raised: i64) -> Uuid {
    let mut name = [0; 32];
    name[..16].copy_from_slice(tenant.as_bytes());
    name[16..24].copy_from_slice(&row.to_be_bytes());
    name[24..].copy_from_slice(&raised.to_be_bytes());
    Uuid::new_v5(&EVENTS, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_one_that_clients_know_and_stays() {
        let v7 = Uuid::parse_str("0192f0c1-2b3c-7def-8a1b-c0ffee000001").unwrap();
        assert_eq!(of_alert(v7).to_string(), "b8a563f1-c5d7-5471-97f5-a0e2dbb93c2a");
        assert_eq!(of_event(v7, 1, 2).get_version_num(), 5);
        let v4 = "A3BB189E-8BF9-4888-9912-ACE4E6543002";
        assert_eq!(of_endpoint(v4).to_string(), v4.to_lowercase());
        for other in ["sensor-1", "0192f0c1-2b3c-7def-8a1b-c0ffee000001"] {
            assert_eq!(of_endpoint(other).get_version_num(), 5, "{other}");
            assert_ne!(of_endpoint(other).to_string(), other);
        }
    }

    #[test]
    fn one_that_follows_another_has_its_own() {
        let mut endpoints = Endpoints::default();
        for sensor in ["a", "a", "b", "a", "", ""] {
            assert_eq!(endpoints.of(sensor), of_endpoint(sensor), "{sensor}");
        }
    }
}

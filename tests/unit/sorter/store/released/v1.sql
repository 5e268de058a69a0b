
PRAGMA page_size=8192;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS audits;
CREATE TABLE audits (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  audit_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  station_id TEXT,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  class_counts TEXT NOT NULL,
  taken_by TEXT NOT NULL,
  note TEXT NOT NULL,
  is_withdrawn INTEGER NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO audits VALUES('north','a',8,1779926400000,'first',1,'pet',1779926340000,1779926400000,'{"other":2,"pet_clear":18}','','',0);
CREATE INDEX audits_by_at_ms ON audits (at_ms, device_id, boot_id, seq);

DROP TABLE IF EXISTS boots;
CREATE TABLE boots (
  ordinal INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  first_at_ms INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (device_id, boot_id)
) STRICT, WITHOUT ROWID;
INSERT INTO boots VALUES(1,'north','a',1779926405000,8);

DROP TABLE IF EXISTS counts_by_day;
CREATE TABLE counts_by_day (
  start_ms INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (start_ms, device_id, name, label)
) STRICT, WITHOUT ROWID;
INSERT INTO counts_by_day VALUES(1779926400000,'north','ack','pet/fired',1);
INSERT INTO counts_by_day VALUES(1779926400000,'north','air_ul','',120);
INSERT INTO counts_by_day VALUES(1779926400000,'north','decision','eject',1);
INSERT INTO counts_by_day VALUES(1779926400000,'north','decision','unknown',1);
INSERT INTO counts_by_day VALUES(1779926400000,'north','energy_mj','rapl',60000);
INSERT INTO counts_by_day VALUES(1779926400000,'north','energy_ms','rapl',5000);
INSERT INTO counts_by_day VALUES(1779926400000,'north','fault','vision/no_camera',1);
INSERT INTO counts_by_day VALUES(1779926400000,'north','mode_ms','execute',5000);
INSERT INTO counts_by_day VALUES(1779926400000,'north','shots','',3);

DROP TABLE IF EXISTS counts_by_hour;
CREATE TABLE counts_by_hour (
  start_ms INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (start_ms, device_id, name, label)
) STRICT, WITHOUT ROWID;
INSERT INTO counts_by_hour VALUES(1779926400000,'north','ack','pet/fired',1);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','air_ul','',120);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','decision','eject',1);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','decision','unknown',1);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','energy_mj','rapl',60000);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','energy_ms','rapl',5000);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','fault','vision/no_camera',1);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','mode_ms','execute',5000);
INSERT INTO counts_by_hour VALUES(1779926400000,'north','shots','',3);

DROP TABLE IF EXISTS counts_by_minute;
CREATE TABLE counts_by_minute (
  start_ms INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (start_ms, device_id, name, label)
) STRICT, WITHOUT ROWID;
INSERT INTO counts_by_minute VALUES(1779926400000,'north','ack','pet/fired',1);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','air_ul','',120);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','decision','eject',1);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','decision','unknown',1);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','energy_mj','rapl',60000);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','energy_ms','rapl',5000);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','fault','vision/no_camera',1);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','mode_ms','execute',5000);
INSERT INTO counts_by_minute VALUES(1779926400000,'north','shots','',3);

DROP TABLE IF EXISTS energy;
CREATE TABLE energy (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  source TEXT NOT NULL,
  energy_mj INTEGER NOT NULL,
  air_ul INTEGER NOT NULL,
  shot_count INTEGER NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO energy VALUES('north','a',7,1779926405000,5000,'rapl',60000,120,3);
CREATE INDEX energy_by_at_ms ON energy (at_ms, device_id, boot_id, seq);

DROP TABLE IF EXISTS facts;
CREATE TABLE facts (
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS faults;
CREATE TABLE faults (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  process TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  is_cleared INTEGER NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO faults VALUES('north','a',6,1779926405000,'vision','no_camera','gone',0);
CREATE INDEX faults_by_at_ms ON faults (at_ms, device_id, boot_id, seq);

DROP TABLE IF EXISTS items;
CREATE TABLE items (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  track_id INTEGER NOT NULL,
  decision_id INTEGER NOT NULL,
  class_name TEXT NOT NULL,
  probability REAL NOT NULL,
  class_probabilities TEXT NOT NULL,
  view_count INTEGER NOT NULL,
  x_um INTEGER NOT NULL,
  belt_um INTEGER NOT NULL,
  width_um INTEGER NOT NULL,
  length_um INTEGER NOT NULL,
  overlap_ratio REAL NOT NULL,
  mass_g REAL NOT NULL,
  mass_sd_g REAL NOT NULL,
  reason TEXT NOT NULL,
  station_id TEXT,
  ack_status TEXT,
  refusal TEXT,
  placement_error_um INTEGER,
  frame_to_command_ms REAL,
  model_id TEXT NOT NULL,
  recipe_hash TEXT NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO items VALUES('north','a',4,1779926404000,4,4,'pet_clear',0.9,'{"hdpe":0.05,"pet_clear":0.9}',4,100000,2000000000,80000,220000,0.01,28.0,9.0,'eject','pet','fired',NULL,-300,41.5,'farz-n','0123456789abcdef');
INSERT INTO items VALUES('north','a',5,1779926404500,5,5,'pet_clear',0.9,'{"hdpe":0.05,"pet_clear":0.9}',4,100000,2000000000,80000,220000,0.01,28.0,9.0,'unknown',NULL,NULL,NULL,NULL,NULL,'farz-n','0123456789abcdef');
CREATE INDEX items_by_at_ms ON items (at_ms, device_id, boot_id, seq);

DROP TABLE IF EXISTS items_by_day;
CREATE TABLE items_by_day (
  start_ms INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  model_id TEXT NOT NULL,
  recipe_hash TEXT NOT NULL,
  station_id TEXT NOT NULL,
  class_name TEXT NOT NULL,
  item_count INTEGER NOT NULL,
  expected_ppm INTEGER NOT NULL,
  area_mm2 INTEGER NOT NULL,
  mass_mg INTEGER NOT NULL,
  mass_variance_mg2 INTEGER NOT NULL,
  overlap_ppm INTEGER NOT NULL,
  PRIMARY KEY (start_ms, device_id, model_id, recipe_hash, station_id, class_name)
) STRICT, WITHOUT ROWID;
INSERT INTO items_by_day VALUES(1779926400000,'north','farz-n','0123456789abcdef','','hdpe',0,50000,0,0,0,0);
INSERT INTO items_by_day VALUES(1779926400000,'north','farz-n','0123456789abcdef','','pet_clear',1,900000,17600,28000,81000000,10000);
INSERT INTO items_by_day VALUES(1779926400000,'north','farz-n','0123456789abcdef','pet','hdpe',0,50000,0,0,0,0);
INSERT INTO items_by_day VALUES(1779926400000,'north','farz-n','0123456789abcdef','pet','pet_clear',1,900000,17600,28000,81000000,10000);

DROP TABLE IF EXISTS items_by_hour;
CREATE TABLE items_by_hour (
  start_ms INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  model_id TEXT NOT NULL,
  recipe_hash TEXT NOT NULL,
  station_id TEXT NOT NULL,
  class_name TEXT NOT NULL,
  item_count INTEGER NOT NULL,
  expected_ppm INTEGER NOT NULL,
  area_mm2 INTEGER NOT NULL,
  mass_mg INTEGER NOT NULL,
  mass_variance_mg2 INTEGER NOT NULL,
  overlap_ppm INTEGER NOT NULL,
  PRIMARY KEY (start_ms, device_id, model_id, recipe_hash, station_id, class_name)
) STRICT, WITHOUT ROWID;
INSERT INTO items_by_hour VALUES(1779926400000,'north','farz-n','0123456789abcdef','','hdpe',0,50000,0,0,0,0);
INSERT INTO items_by_hour VALUES(1779926400000,'north','farz-n','0123456789abcdef','','pet_clear',1,900000,17600,28000,81000000,10000);
INSERT INTO items_by_hour VALUES(1779926400000,'north','farz-n','0123456789abcdef','pet','hdpe',0,50000,0,0,0,0);
INSERT INTO items_by_hour VALUES(1779926400000,'north','farz-n','0123456789abcdef','pet','pet_clear',1,900000,17600,28000,81000000,10000);

DROP TABLE IF EXISTS items_by_minute;
CREATE TABLE items_by_minute (
  start_ms INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  model_id TEXT NOT NULL,
  recipe_hash TEXT NOT NULL,
  station_id TEXT NOT NULL,
  class_name TEXT NOT NULL,
  item_count INTEGER NOT NULL,
  expected_ppm INTEGER NOT NULL,
  area_mm2 INTEGER NOT NULL,
  mass_mg INTEGER NOT NULL,
  mass_variance_mg2 INTEGER NOT NULL,
  overlap_ppm INTEGER NOT NULL,
  PRIMARY KEY (start_ms, device_id, model_id, recipe_hash, station_id, class_name)
) STRICT, WITHOUT ROWID;
INSERT INTO items_by_minute VALUES(1779926400000,'north','farz-n','0123456789abcdef','','hdpe',0,50000,0,0,0,0);
INSERT INTO items_by_minute VALUES(1779926400000,'north','farz-n','0123456789abcdef','','pet_clear',1,900000,17600,28000,81000000,10000);
INSERT INTO items_by_minute VALUES(1779926400000,'north','farz-n','0123456789abcdef','pet','hdpe',0,50000,0,0,0,0);
INSERT INTO items_by_minute VALUES(1779926400000,'north','farz-n','0123456789abcdef','pet','pet_clear',1,900000,17600,28000,81000000,10000);

DROP TABLE IF EXISTS mode_changes;
CREATE TABLE mode_changes (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  mode TEXT NOT NULL,
  reason TEXT NOT NULL,
  recipe_hash TEXT NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO mode_changes VALUES('north','a',2,1779926405000,'execute','ready','0123456789abcdef');
CREATE INDEX mode_changes_by_at_ms ON mode_changes (at_ms, device_id, boot_id, seq);

DROP TABLE IF EXISTS mode_times;
CREATE TABLE mode_times (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  mode TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO mode_times VALUES('north','a',3,1779926405000,'execute',5000);
CREATE INDEX mode_times_by_at_ms ON mode_times (at_ms, device_id, boot_id, seq);

DROP TABLE IF EXISTS recipes;
CREATE TABLE recipes (
  device_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  recipe_hash TEXT NOT NULL,
  name TEXT NOT NULL,
  classes TEXT NOT NULL,
  targets TEXT NOT NULL,
  PRIMARY KEY (device_id, boot_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO recipes VALUES('north','a',1,1779926405000,'0123456789abcdef','r','["pet_clear","hdpe","glass"]','{"pet":["pet_clear"]}');
CREATE INDEX recipes_by_at_ms ON recipes (at_ms, device_id, boot_id, seq);

pragma user_version=1;

COMMIT TRANSACTION;

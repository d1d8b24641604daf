package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// system stands for whatever runs the jobs: it knows them by id and by the key under which they were created.
type system struct {
	mutex sync.Mutex
	byID  map[string]*job
}

// job adds up the numbers from 1 to n, and takes its time.
type job struct {
	digest  [32]byte
	n       int64
	ends    time.Time
	deleted bool
}

var errOtherContent = errors.New("the key was used for another request")

// start starts the job of a key once. An empty key is a job of its own.
func (s *system) start(key string, digest [32]byte, n int64, lasts time.Duration) (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if key == "" {
		key = fmt.Sprintf("no key %d", len(s.byID))
	}
	sum := sha256.Sum256([]byte(key))
	id := hex.EncodeToString(sum[:16])
	if found, ok := s.byID[id]; ok {
		if found.digest != digest {
			return "", errOtherContent
		}
		return id, nil
	}
	s.byID[id] = &job{digest: digest, n: n, ends: time.Now().Add(lasts)}
	return id, nil
}

// find gives a copy of the job; false when there is none.
func (s *system) find(id string) (job, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found, ok := s.byID[id]
	if !ok {
		return job{}, false
	}
	return *found, true
}

// remove ends a job. One that is unknown, or was removed before, is no error.
func (s *system) remove(id string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if found, ok := s.byID[id]; ok {
		found.deleted = true
	}
}

// handle is how a job is found again: JSON with a version, nothing secret in it.
type handle struct {
	Version int    `json:"v"`
	ID      string `json:"id"`
}

func (h handle) encode() []byte {
	data, _ := json.Marshal(h)
	return data
}

// decodeHandle refuses what this release did not make.
func decodeHandle(data []byte) (handle, error) {
	var h handle
	if err := json.Unmarshal(data, &h); err != nil || h.ID == "" {
		return h, errors.New("resource_meta is no handle of this connector")
	}
	if h.Version != 1 {
		return h, fmt.Errorf("the handle has version %d; this release reads version 1", h.Version)
	}
	return h, nil
}

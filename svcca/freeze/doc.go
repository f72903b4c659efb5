// Package freeze says when each layer of a network in training may stop to learn: Freeze
// Training, after Raghu et al. 2017, Fig. 5. Lower layers converge first, and a frozen layer
// with nothing that learns below it needs no gradients.
//
// Linear is the paper's schedule, which is known before training begins. Watch makes one
// while the network trains, from how little its layers still change. Either is a Schedule,
// plain data that a training loop reads from JSON, and Schedule.Work says what it saves.
//
//	schedule, err := freeze.Linear(160000, []string{"conv1"}, []string{"conv2"}, …)
//	work, err := schedule.Work(costs)
//	fmt.Println(work.Saved.Backward)
//
// Steps are counted from 1: a network that was trained for T steps took steps 1 … T, and a
// layer frozen after step 0 never learnt.
//
// Section numbers of DEFINITIONS in comments refer to docs/definitions.md.
package freeze

//! The list of all cases, and how they become tests of one store.

/// Makes a test of each case, on a new place of the given type.
macro_rules! every_case {
    ($place:ty) => {
        crate::cases::tests! { $place:
            admission {
                each_url_is_stored_once_however_often_it_is_linked
                what_a_link_judges_skipped_is_stored_with_its_reason
                two_spellings_in_one_batch_and_in_two_are_one_url
                seeds_are_pending_at_depth_0_and_listed
                links_are_stored_with_the_part_of_the_page_they_stand_in
                hostile_texts_are_stored_as_they_came
                a_big_batch_is_stored_whole
            }
            depth {
                a_shorter_path_found_later_counts
                a_shorter_path_is_handed_on_to_what_was_found_through_it
                what_was_too_deep_opens_on_a_shorter_path
                a_shorter_path_found_while_a_page_was_in_flight_reaches_its_links
                without_links_depth_is_handed_on_all_the_same
                a_link_that_is_followed_opens_what_was_nofollow
                redirects_count_their_hops_and_a_loop_is_a_failure
                a_way_back_that_was_gone_in_one_run_does_not_lengthen_that_of_the_next
            }
            outcomes {
                every_end_of_a_request_moves_its_url_and_is_counted
                a_retry_stays_pending_with_its_time_and_its_tries
                an_abandoned_request_changes_nothing
                a_url_that_is_not_pending_any_more_is_not_stored_again
                what_is_not_wanted_of_a_page_is_not_stored
                a_settlement_follows_each_record
            }
            sitemaps {
                what_robots_txt_names_has_depth_1_and_no_referrer
                a_page_becomes_a_sitemap_once_it_is_listed_as_one
                a_sitemap_wakes_what_it_says_was_modified_once_in_a_run
            }
            hosts {
                robots_txt_is_kept_with_its_host
                a_robots_txt_elsewhere_brings_that_host_in
                clocks_are_kept
                when_a_certificate_expires_is_kept_with_its_host
                after_a_crash_every_host_counts_as_just_asked
            }
            windows {
                new_urls_come_before_known_ones_and_shorter_paths_first
                a_window_is_a_part_of_what_is_pending_and_says_so
                a_known_page_is_asked_for_on_condition_only_if_all_is_kept
            }
            resume {
                what_was_committed_is_there_after_a_crash_and_the_run_goes_on
                a_finished_run_is_followed_by_a_new_one
                what_an_invocation_did_is_told_apart_from_the_run
                other_settings_judge_again_what_was_skipped_and_what_waits
                what_was_unreachable_is_pending_in_the_next_invocation
            }
            recrawl {
                a_new_run_fetches_again_what_is_due
                a_page_that_was_fetched_in_the_future_is_due_now
                what_failed_and_what_robots_txt_forbade_is_asked_for_again
                a_page_is_new_changed_gone_and_restored
                a_304_keeps_the_page_and_counts_as_unchanged
                older_versions_are_kept_as_far_as_they_are_wanted
                tidying_deletes_the_logs_of_old_runs
            }
            leases {
                a_host_is_taken_once_and_with_a_new_epoch_each_time
                hosts_first_met_in_a_commit_are_taken_at_once
                a_host_that_was_given_back_is_free_and_keeps_its_clock
                a_record_for_a_host_that_was_given_back_is_refused
                a_record_for_a_host_that_another_took_is_refused_and_nothing_of_it_stored
                what_is_lost_is_told_on_keeping
                a_window_of_a_lost_host_is_not_given
                links_to_a_host_of_another_are_stored_and_not_handed_out
            }
        }
    };
}
pub(crate) use every_case;

macro_rules! tests {
    ($place:ty: $($subject:ident { $($case:ident)+ })+) => {
        $(mod $subject {
            $(#[tokio::test]
            async fn $case() {
                let Some(place) = <$place as crate::place::Place>::new() else { return };
                crate::$subject::$case(&place).await;
            })+
        })+
    };
}
pub(crate) use tests;

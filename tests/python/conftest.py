# SPDX-License-Identifier: Apache-2.0
"""This folder is on the path of all tests, those in long/ too."""

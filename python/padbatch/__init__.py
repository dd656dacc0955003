# SPDX-License-Identifier: Apache-2.0
"""Ragged detections to padded batch tensors, and back; and ONNX models whose outputs are padded."""
